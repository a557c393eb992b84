"""VOC to COCO and YOLO and back over a whole set, with difficult flags, decimals and negatives planted.

    python scripts/round_trip.py            # the real sets in shared/data
    python scripts/round_trip.py FOLDER...  # other VOC folders

Prints what changed: pictures, boxes, classes, difficult flags, pictures without objects.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from pathlib import Path

from pycocotools.coco import COCO

from maskdet.dataset.formats.convert import convert
from maskdet.dataset.formats.labelled import LabelledSet
from maskdet.dataset.formats.voc_reader import read_voc

REPO = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class RoundTrip:
    """What one way there and back did; `faults` is empty if nothing but rounding changed."""

    pictures: int = 0
    objects: int = 0
    planted_difficult: int = 0
    planted_negatives: int = 0
    largest_error: float = 0.0
    """Pixels."""
    faults: list[str] = field(default_factory=list)


def real_set(name: str) -> Path | None:
    """A set of shared/data, wherever the working copy lies; None if it is not there."""
    places = (parent / "shared/data" / name for parent in (REPO, *REPO.parents))
    return next((place for place in places if (place / "Annotations").is_dir()), None)


def measure(root: Path, work: Path, most: int | None = None) -> dict[str, RoundTrip]:
    """Both ways over the first `most` pictures of the VOC folder, below the empty folder `work`."""
    planted = work / "planted"
    _plant(root, planted, most)
    before = read_voc(planted)
    results = {}
    for form in ("coco", "yolo"):
        convert(planted, work / form, form, placing="link")
        convert(work / form, work / f"{form}-voc", "voc", placing="link")
        results[form] = _compare(before, read_voc(work / f"{form}-voc"))
    with redirect_stdout(StringIO()):
        coco = COCO(work / "coco/annotations/instances.json")
    counts = (len(coco.imgs), len(coco.anns))
    if counts != (results["coco"].pictures, results["coco"].objects):
        results["coco"].faults.append(f"pycocotools reads {counts} pictures and objects")
    return results


def _plant(root: Path, planted: Path, most: int | None) -> None:
    """A copy with linked pictures: every tenth without objects, every third with a difficult one, every
    seventh with decimals.
    """
    for folder in ("Annotations", "JPEGImages"):
        (planted / folder).mkdir(parents=True)
    for number, path in enumerate(islice(sorted((root / "Annotations").iterdir()), most)):
        text = path.read_text(encoding="utf-8")
        if number % 10 == 0:
            text = re.sub(r"<object>.*</object>", "", text, flags=re.DOTALL)
        if number % 3 == 0:
            text = text.replace("<difficult>0", "<difficult>1", 1)
        if number % 7 == 0:
            text = re.sub(r"(\d+)</x(min|max)>", r"\1.375</x\2>", text, count=2)
        (planted / "Annotations" / path.name).write_text(text, encoding="utf-8")
        picture = next((root / "JPEGImages").glob(f"{path.stem}.*"))
        (planted / "JPEGImages" / picture.name).symlink_to(picture)


def _compare(before: LabelledSet, after: LabelledSet) -> RoundTrip:
    result = RoundTrip(pictures=len(before.pictures))
    found = {picture.name: picture for picture in after.pictures}
    for picture in before.pictures:
        other = found.pop(picture.name, None)
        result.objects += len(picture.objects)
        result.planted_negatives += not picture.objects
        result.planted_difficult += sum(item.difficult for item in picture.objects)
        if other is None or len(other.objects) != len(picture.objects) or other.size != picture.size:
            result.faults.append(f"{picture.name}: gone, or other objects or size")
            continue
        for item, same in zip(picture.objects, other.objects, strict=True):
            if (item.label, item.difficult) != (same.label, same.difficult):
                result.faults.append(f"{picture.name}: {item} became {same}")
            errors = (abs(a - b) for a, b in zip(item.box, same.box, strict=True))
            result.largest_error = max(result.largest_error, *errors)
    result.faults.extend(f"{name}: was not there" for name in found)
    return result


def main(folders: Iterable[str]) -> None:
    real = (real_set("face_mask"), real_set("face_mask_ilc"))
    for root in map(Path, folders) if folders else filter(None, real):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as work:
            for form, done in measure(root, Path(work)).items():
                print(
                    f"{root.name} VOC > {form} > VOC: {done.pictures} pictures, {done.objects} objects "
                    f"({done.planted_difficult} difficult, {done.planted_negatives} pictures without), "
                    f"largest error {done.largest_error:g} px, {len(done.faults)} faults",
                    *done.faults[:10],
                    sep="\n  ",
                )


if __name__ == "__main__":
    main(sys.argv[1:])
