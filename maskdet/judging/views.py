"""A manifest's picture as the evaluation sees it: size and brightness."""

from __future__ import annotations

from pathlib import Path

from maskdet.dataset.manifest import ManifestPicture
from maskdet.detector.picture import read_picture
from maskdet.evaluation.views import View, mean_luma
from maskdet.types import Picture


def view_of(item: ManifestPicture, root: Path, picture: Picture | None = None) -> View:
    """The view of a picture below the data root; it is read unless its pixels are given."""
    pixels = read_picture(root / item.picture) if picture is None else picture
    return View(item.picture, (item.height, item.width), mean_luma(pixels))
