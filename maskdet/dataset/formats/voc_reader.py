"""A VOC set as a `LabelledSet`: every object as it is written, in the parts of ImageSets/Main or folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from maskdet.dataset.checking.boxes import inside
from maskdet.dataset.findings import Collector, Finding
from maskdet.dataset.formats.labelled import LabelledObject, LabelledPicture, LabelledSet, size_of
from maskdet.dataset.formats.voc_shape import part_folders
from maskdet.dataset.reading.annotation import read_annotation
from maskdet.dataset.reading.image_sets import ImageSets, ListedPart, read_image_sets
from maskdet.dataset.reading.layout import VOC, Folders, Pair, find_pairs, folders_of
from maskdet.dataset.reading.sizes import fits_picture, note_turn
from maskdet.progress import Track, silent


def read_voc(root: Path, track: Track = silent) -> LabelledSet:
    """Raises DatasetError if the folder is not laid out as VOC or a list cannot be read."""
    sets = _sets(root)
    findings = [*sets.findings]
    pictures = []
    for pair in track(sets.pairs, "Reading", len(sets.pairs)):
        picture = _read(root, pair, sets.parts.get(pair.picture, ""), findings)
        if picture is not None:
            pictures.append(picture)
    labels = sorted({item.label for picture in pictures for item in picture.objects})
    return LabelledSet(tuple(labels), tuple(pictures), tuple(findings))


def _sets(root: Path) -> ImageSets:
    """The pairs with their parts, and all findings about files and lists."""
    folders = folders_of(root)
    parts = {} if folders else part_folders(root)
    if parts:
        return _parted(root, parts)
    layout = find_pairs(root, folders or VOC)
    sets = read_image_sets(root, layout.pairs)
    return replace(sets, findings=(*layout.findings, *sets.findings))


def _parted(root: Path, parts: Mapping[Folders, ListedPart]) -> ImageSets:
    layouts = [(part, find_pairs(root, folders)) for folders, part in parts.items()]
    pairs = {pair: part for part, layout in layouts for pair in layout.pairs}
    # train/ alone, without a folder to validate on, is a set that is not split.
    is_split = set(parts.values()) != {"train"}
    named = {pair.picture: part for pair, part in pairs.items() if is_split}
    return ImageSets(tuple(pairs), named, tuple(each for _, layout in layouts for each in layout.findings))


def _read(root: Path, pair: Pair, part: str, findings: list[Finding]) -> LabelledPicture | None:
    reading = read_annotation(root / pair.annotation, pair.annotation)
    findings.extend(map(_as_lost, reading.findings))
    of_picture, report = Collector(pair.picture), Collector(pair.annotation)
    sizes = size_of(root / pair.picture, of_picture)
    annotation = reading.annotation
    objects: list[LabelledObject] = []
    usable = False
    if sizes is not None and annotation is not None:
        claimed = (annotation.height, annotation.width)
        usable = fits_picture(claimed, sizes, report)
        if usable and annotation.objects:
            note_turn(claimed, sizes, report)
        placed = [inside(item, sizes, report) for item in annotation.objects if usable]
        objects = [
            LabelledObject(item.label, item.box, item.difficult) for item in placed if item and item.label
        ]
        usable = usable and (bool(objects) or not (annotation.objects or reading.unread))
    findings.extend((*of_picture.findings, *report.findings))
    if not usable or sizes is None:
        return None
    name = PurePosixPath(pair.picture).name
    return LabelledPicture(name, root / pair.picture, sizes.upright, tuple(objects), part)


def _as_lost(finding: Finding) -> Finding:
    return replace(finding, code="label-lost") if finding.code == "label-missing" else finding
