"""A manifest's picture for the evaluation: size and brightness."""

from __future__ import annotations

from maskdet.dataset.manifest import ManifestPicture
from maskdet.evaluation.views import View


def view_of(item: ManifestPicture, luma: float) -> View:
    """The view of a picture whose `mean_luma` was taken from the pixels that the model saw."""
    return View(item.picture, (item.height, item.width), luma)
