"""The verb: a labelled set in one format, written in another without changing a box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.dataset.checking.stopping import fault_lines, stop_on_errors
from maskdet.dataset.findings import Finding, by_severity
from maskdet.dataset.formats.coco_reader import read_coco
from maskdet.dataset.formats.labelled import LabelledSet
from maskdet.dataset.formats.recognise import FORMATS, TITLES, Format, nearby, recognise, refuse_labelme
from maskdet.dataset.formats.voc_reader import read_voc
from maskdet.dataset.formats.voc_shape import other_shape
from maskdet.dataset.formats.writing import Placing, write_set
from maskdet.dataset.formats.yolo_reader import read_yolo
from maskdet.errors import DatasetError, UsageError
from maskdet.progress import Track, silent
from maskdet.system.files import staged_folder

_READERS: Final[dict[Format, Callable[[Path, Track], LabelledSet]]] = {
    "voc": read_voc,
    "coco": read_coco,
    "yolo": read_yolo,
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was converted. `objects` by label in the order of the class ids; `parts` [""] if not split."""

    source: Format
    target: Format
    pictures: int
    negatives: int
    difficult: int
    objects: Mapping[str, int]
    parts: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def notices(self) -> tuple[Finding, ...]:
        return tuple(by_severity(self.findings, "notice"))

    @property
    def dropped(self) -> tuple[Finding, ...]:
        """The errors whose object, annotation or picture `skip_bad` left out."""
        return tuple(by_severity(self.findings, "error"))


def convert(
    source: Path,
    target: Path,
    to: Format,
    *,
    given: Format | None = None,
    placing: Placing = "copy",
    skip_bad: bool = False,
    track: Track = silent,
) -> Conversion:
    """Write the set in `source`, of the format `given` or recognised, as `to` into `target`.

    `target` must not exist, or be empty; it appears only when it is complete. Names of classes, boxes,
    difficult flags, pictures without objects and the split are kept.

    Raises UsageError for a format or folder that does not fit, and DatasetError with one line per fault
    unless `skip_bad` drops the bad items.
    """
    form = _form(source, given)
    if form == to and not (form == "voc" and other_shape(source)):
        raise UsageError(f"{source} is a {TITLES[to]} set already", "choose another format with --to")
    _check_target(target)
    found = _READERS[form](source, track)
    stop_on_errors(str(source), found.findings, skip_bad=skip_bad)
    _require_pictures(source, found)
    with staged_folder(target) as out:
        write_set(found, to, out, placing, track)
    return _summary(form, to, found)


def _form(source: Path, given: Format | None) -> Format:
    if not source.exists():
        raise DatasetError(f"{source} does not exist", "name the folder of a labelled set")
    form = given or recognise(source)
    if form is None:
        refuse_labelme(source)
        what = f"{source} is not recognised as a {', '.join(TITLES[one] for one in FORMATS)} set"
        raise DatasetError(what, nearby(source) or "name its format with --from, and see what is missing")
    return form


def _check_target(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists already", "choose a folder that does not, or an empty one")


def _require_pictures(source: Path, found: LabelledSet) -> None:
    if not found.pictures:
        errors = by_severity(found.findings, "error")
        lines = fault_lines(errors, found.findings)
        raise DatasetError(f"{source} has no usable picture", "check its format", lines)


def _summary(form: Format, to: Format, found: LabelledSet) -> Conversion:
    return Conversion(
        source=form,
        target=to,
        pictures=len(found.pictures),
        negatives=sum(1 for picture in found.pictures if not picture.objects),
        difficult=sum(item.difficult for picture in found.pictures for item in picture.objects),
        objects=found.counts(),
        parts=Counter(picture.part for picture in found.pictures),
        findings=found.findings,
    )
