"""The part of a manifest that weights are learnt from, read without the packages that pictures need."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from maskdet.errors import StageError
from maskdet.files import json_text
from maskdet.lexicon import Role, beyond_names


def learnt_sha256(path: Path) -> str:
    """Hash of a manifest's labels and pictures, not of its roles, which only say what the classes mean.

    For a file from before roles existed, the hash of the whole file. Raises StageError like `load_manifest`.
    """
    raw = _read(path)
    raw.pop("roles", None)
    return hashlib.sha256(json_text(raw).encode()).hexdigest()


def learnt_labels(path: Path) -> tuple[str, ...]:
    """The classes by class id. Raises StageError as `load_manifest`."""
    return tuple(_read(path).get("labels", ()))


def told_roles(path: Path) -> dict[str, Role]:
    """The roles that the labels' names do not imply. Raises StageError like `load_manifest`."""
    raw = _read(path)
    return beyond_names(raw.get("labels", ()), raw.get("roles", {}))


def _read(path: Path) -> dict[str, Any]:
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StageError(f"{path} is missing", "run `maskdet prepare` first") from error
    except ValueError as error:
        raise StageError(f"{path} is damaged: {error}", "run `maskdet prepare --force`") from error
    return raw
