"""A VOC folder as a `LabelledSet`: every object as it is written, in the parts of ImageSets/Main."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from maskdet.dataset.boxes import is_sound
from maskdet.dataset.findings import Collector, Finding
from maskdet.dataset.formats.labelled import (
    PARTS,
    LabelledObject,
    LabelledPicture,
    LabelledSet,
    size_of,
)
from maskdet.dataset.layout import Pair, find_pairs
from maskdet.dataset.sizes import fits_picture
from maskdet.dataset.voc import read_annotation
from maskdet.errors import DatasetError
from maskdet.progress import Track, silent

LISTS = "ImageSets/Main"


def read_voc(root: Path, track: Track = silent) -> LabelledSet:
    """Raises DatasetError if the folder is not laid out as VOC or its lists do not cover it."""
    layout = find_pairs(root)
    parts = _parts(root, layout.pairs)
    findings: list[Finding] = [*layout.findings]
    pictures = []
    for pair in track(layout.pairs, "Reading", len(layout.pairs)):
        picture = _read(root, pair, parts, findings)
        if picture is not None:
            pictures.append(picture)
    labels = sorted({item.label for picture in pictures for item in picture.objects})
    return LabelledSet(tuple(labels), tuple(pictures), tuple(findings))


def _read(root: Path, pair: Pair, parts: dict[str, str], findings: list[Finding]) -> LabelledPicture | None:
    reading = read_annotation(root / pair.annotation, pair.annotation)
    findings.extend(reading.findings)
    of_picture, report = Collector(pair.picture), Collector(pair.annotation)
    sizes = size_of(root / pair.picture, of_picture)
    annotation = reading.annotation
    objects: list[LabelledObject] = []
    usable = False
    if sizes is not None and annotation is not None:
        usable = fits_picture((annotation.height, annotation.width), sizes.upright, sizes.stored, report)
        sound = [item for item in annotation.objects if usable and is_sound(item, sizes.upright, report)]
        objects = [LabelledObject(item.label, item.box, item.difficult) for item in sound]
        usable = usable and (bool(objects) or not (annotation.objects or reading.unread))
    findings.extend((*of_picture.findings, *report.findings))
    if not usable or sizes is None:
        return None
    name = PurePosixPath(pair.picture)
    part = parts.get(name.stem, "")
    return LabelledPicture(name.name, root / pair.picture, sizes.upright, tuple(objects), part)


def _parts(root: Path, pairs: Sequence[Pair]) -> dict[str, str]:
    """Part by stem, from train.txt, val.txt and test.txt; empty if there are no lists."""
    parts: dict[str, str] = {}
    for part in PARTS:
        path = root / LISTS / f"{part}.txt"
        for number, stem in enumerate(_lines(path), start=1):
            if parts.setdefault(stem, part) != part:
                raise DatasetError(
                    f"{path}:{number}: {stem} is in {parts[stem]}.txt as well", "remove it from one list"
                )
    stems = [PurePosixPath(pair.picture).stem for pair in pairs]
    missing = [stem for stem in stems if stem not in parts]
    if parts and missing:
        what = f"{root / LISTS} has no part for {len(missing)} of {len(stems)} pictures: {missing[0]}, ..."
        raise DatasetError(what, "complete the lists, or remove them: the set is then not split")
    return parts


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}", "save it as UTF-8 text") from error
