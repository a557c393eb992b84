"""Which keys of the pipeline file hold paths: those of which the schema says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

from maskdet.pipeline.file.document import KeyPath
from maskdet.pipeline.file.schema import PipelineFile

EACH: Final = "*"
"""Stands for any name that the user gives, or any place in a list."""


def path_keys(kind: Any, key: KeyPath = ()) -> Iterator[KeyPath]:
    """Below `key`, whose value is of that kind, the keys that may hold a path."""
    origin = get_origin(kind)
    if kind is Path:
        yield key
    elif origin is None and isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield from path_keys(field.annotation, (*key, name))
    else:
        inner = (*key, EACH) if origin in (dict, list, tuple) else key
        for each in get_args(kind):
            yield from path_keys(each, inner)


def places(value: Any, pattern: KeyPath, above: KeyPath = ()) -> Iterator[KeyPath]:
    """The keys of a document, as far as it has them, that a key with EACH stands for."""
    if not pattern:
        yield above
        return
    known = _parts(value)
    for part in known if pattern[0] == EACH else [pattern[0]] if pattern[0] in known else []:
        yield from places(known[part], pattern[1:], (*above, part))


def _parts(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    return dict(enumerate(value)) if isinstance(value, list) else {}


PATH_KEYS: Final = tuple(dict.fromkeys(path_keys(PipelineFile)))
