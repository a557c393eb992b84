"""A manifest's picture for the evaluation: name, size, brightness and collection."""

from __future__ import annotations

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.evaluation.views import View


def view_of(manifest: Manifest, item: ManifestPicture, luma: float) -> View:
    """The view of a picture whose `mean_luma` was taken from the pixels that the model saw."""
    return View(manifest.name(item), (item.height, item.width), luma, manifest.collection(item))
