"""A manifest's picture for the evaluation: name, size, brightness, collection and near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from maskdet.dataset.checking.duplicates import find_duplicates
from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.evaluation.views import View


def view_of(manifest: Manifest, item: ManifestPicture, luma: float) -> View:
    """The view of a picture whose `mean_luma` was taken from the pixels that the model saw."""
    return View(manifest.name(item), (item.height, item.width), luma, manifest.collection(item))


def grouped(views: Sequence[View], items: Sequence[ManifestPicture]) -> tuple[View, ...]:
    """The views of these pictures, near-duplicates with the name of their first one as the group."""
    names = [view.path for view in views]
    groups = find_duplicates(names, [item.sha256 for item in items], [item.phash for item in items]).groups
    return tuple(replace(view, group=names[group]) for view, group in zip(views, groups, strict=True))
