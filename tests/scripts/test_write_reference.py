"""docs/pipeline-file.md says what the schema says."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from maskdet.pipeline.schema import PipelineFile

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "pipeline-file.md"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key that holds a value rather than a section; then those of sections, and of listed sections."""
    fields: dict[str, Any] = {name: field.annotation for name, field in model.model_fields.items()}
    inner = {name: kind for name, kind in fields.items() if is_section(kind)}
    yield from (f"{prefix}{name}" for name in fields if name not in inner)
    for name, section in inner.items():
        yield from keys(section, f"{prefix}{name}.")
    for name, annotation in fields.items():
        for kind in filter(is_section, parts(annotation)):
            yield from keys(kind, f"{prefix}{name}.N.")


def is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def parts(annotation: Any) -> Iterator[Any]:
    """The types within one such as tuple[Section, ...] | None."""
    for inner in get_args(annotation):
        yield inner
        yield from parts(inner)


def test_the_page_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    written = PAGE.read_text(encoding="utf-8")
    assert written == import_module("write_reference").reference(), "run scripts/write_reference.py"


def test_every_key_has_a_row() -> None:
    rows = [
        line.split("`")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert rows == sorted(rows, key=list(keys(PipelineFile)).index)
    assert set(rows) == set(keys(PipelineFile))
