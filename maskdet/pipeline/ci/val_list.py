"""What earlier jobs added to the file of data.frozen_val, and lost with their checkout.

Each of them registered its model, whatever the verdict, with the pictures that it was trained and validated
on. So a picture of val is known for as long as a model that was judged on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Final

from maskdet.artefacts import MANIFEST
from maskdet.dataset.manifest import ManifestPicture, load_manifest
from maskdet.dataset.splitting.frozen import FrozenPicture, read_frozen
from maskdet.errors import StageError
from maskdet.pipeline.forgetting.removal import forgotten
from maskdet.pipeline.references.models import registry_of
from maskdet.pipeline.running.stage import Context
from maskdet.registry.pictures import without_likeness
from maskdet.registry.records import PictureRecord
from maskdet.registry.version import Version

_SETTING: Final = "data.frozen_val"
_DIGITS: Final = 16
"""Of the sha256, in place of the name of a picture that only the registry knows."""


def complete_val_list(context: Context) -> int:
    """Add to the file of data.frozen_val what registered versions saw under a list of that name; returns how
    many pictures that are to its val. The caller holds the results folder: prepare adds to the same file.

    The same registry and file give the same bytes, so that prepare is up to date in the job after the next.
    Raises DatasetError for a damaged file, RegistryError for a damaged registry.
    """
    file = context.pipeline.data.frozen_val
    if file is None:
        return 0
    before = after = read_frozen(file)
    names, gone = _names(context), forgotten(context.folder.parent)
    for version in _versions(context, file.name):
        seen = without_likeness((one for one in version.pictures() if not one.inherited), gone)
        after = after.joined(
            [_entry(one, version, names) for one in seen if one.part == "val"],
            [one.sha256 for one in seen if one.part == "train"],
        )
    if after != before:
        after.write(file)
    return len(after.val) - len(before.val)


def _versions(context: Context, name: str) -> Iterator[Version]:
    """The pipeline's registered versions, oldest first, whose data was split by a list of that name."""
    registry, model = registry_of(context), context.pipeline.name
    for version in registry.versions(model) if model in registry.models() else ():
        # Its folder is another one in each checkout. A list of another name is meant to begin anew.
        if PurePath(version.record.lineage.settings.get(_SETTING) or "").name == name:
            yield version


def _names(context: Context) -> Mapping[str, ManifestPicture]:
    """The pictures that the results folder's manifest knows, if there is one, by their sha256."""
    try:
        return {one.sha256: one for one in load_manifest(context.path("prepare", MANIFEST)).pictures}
    except StageError:
        return {}


def _entry(record: PictureRecord, version: Version, names: Mapping[str, ManifestPicture]) -> FrozenPicture:
    known = names.get(record.sha256)
    picture, root = (known.picture, known.root) if known else (record.sha256[:_DIGITS], version.reference)
    return FrozenPicture(picture, root, version.record.created, record.sha256, record.phash)
