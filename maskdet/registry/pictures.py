"""pictures.json: the pictures that a model was trained and validated on, as hashes only."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from maskdet.errors import RegistryError
from maskdet.registry.records import PictureRecord
from maskdet.settings import Section


class PictureList(Section):
    """The file's content."""

    format: Literal[1] = 1
    pictures: tuple[PictureRecord, ...]


def pictures_text(pictures: Iterable[PictureRecord]) -> str:
    """The file's text: one picture a line, sorted, so that the same pictures give the same bytes."""
    ordered = sorted(pictures, key=lambda one: (one.inherited, one.part, one.sha256))
    lines = ",\n".join(one.model_dump_json(exclude_defaults=True) for one in ordered)
    return f'{{"format": 1, "pictures": [\n{lines}\n]}}\n'


def read_pictures(path: Path) -> tuple[PictureRecord, ...]:
    """Read the file, which may be compressed (.gz). Raises RegistryError if it is missing or damaged."""
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        return PictureList.model_validate_json(text).pictures
    except (OSError, EOFError, zlib.error, ValidationError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
        raise RegistryError(f"{path}: {said}", "`maskdet models verify` checks the whole registry") from error


def inherited(pictures: Iterable[PictureRecord], own: Iterable[PictureRecord] = ()) -> list[PictureRecord]:
    """The pictures that a training's start has seen, without those that the training sees itself."""
    seen = {one.sha256 for one in own}
    return [one.model_copy(update={"inherited": True}) for one in pictures if one.sha256 not in seen]


def without_likeness(pictures: Iterable[PictureRecord], digests: Container[str]) -> list[PictureRecord]:
    """Nothing of these pictures but their sha256: a perceptual hash is a small picture."""
    return [one.model_copy(update={"phash": ""}) if one.sha256 in digests else one for one in pictures]
