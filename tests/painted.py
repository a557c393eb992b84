"""Pictures for the tiny model with one face each, as a manifest."""

from __future__ import annotations

from pathlib import Path

from media import save
from support import LABELS, cell_box, paint

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot
from maskdet.system.files import sha256_file


def painted(root: Path, count: int) -> Manifest:
    """Pictures with one face each, in another cell and of another class every time."""
    pictures = []
    for number in range(count):
        cell, label = (number % 8, number // 8), LABELS[number % 3]
        path = root / f"{number:03}.png"
        save(path, paint({cell: label}))
        face = ManifestObject(label, cell_box(*cell))
        pictures.append(ManifestPicture(path.name, "", "val", 256, 256, sha256_file(path), (face,)))
    return Manifest(LABELS, tuple(pictures), roots=(ManifestRoot("", root),))
