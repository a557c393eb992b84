"""The part of a manifest that weights are learnt from, read without the packages that pictures need."""

from __future__ import annotations

import json
from pathlib import Path

from maskdet.artefacts import Document, reading
from maskdet.dataset.content import data_hash, learnt_hash
from maskdet.wording.lexicon import Role, beyond_names


def learnt_sha256(path: Path) -> str:
    """`learnt_hash` of a file. Raises StageError like `load_manifest`."""
    return learnt_hash(_read(path))


def data_sha256(path: Path) -> str:
    """`data_hash` of a file. Raises StageError like `load_manifest`."""
    return data_hash(_read(path))


def learnt_labels(path: Path) -> tuple[str, ...]:
    """The classes by class id. Raises StageError as `load_manifest`."""
    return tuple(_read(path)["labels"])


def told_roles(path: Path) -> dict[str, Role]:
    """The roles that the labels' names do not imply. Raises StageError like `load_manifest`."""
    raw = _read(path)
    return beyond_names(raw["labels"], raw.get("roles", {}))


def _read(path: Path) -> Document:
    with reading(path, "maskdet prepare"):
        raw: Document = json.loads(path.read_text(encoding="utf-8"))
        raw["labels"], raw["pictures"]
        return raw
