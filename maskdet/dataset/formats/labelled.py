"""A labelled set on its way between two formats: every reader returns it, every writer takes it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from maskdet.dataset.findings import Collector, Finding
from maskdet.dataset.reading.sizes import PictureSize, Size, read_size
from maskdet.errors import PictureError
from maskdet.types import Box

PARTS = ("train", "val", "test")
"""Parts that every format has a name for; a set that is not split has the part ""."""


@dataclass(frozen=True, slots=True)
class LabelledObject:
    """One object: xyxy box in pixels of the upright picture; `score` is a model's, None for a person's."""

    label: str
    box: Box
    difficult: bool = False
    score: float | None = None


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """`name` is relative with forward slashes, `file` the picture itself, `size` after its EXIF turn."""

    name: str
    file: Path
    size: Size
    objects: tuple[LabelledObject, ...]
    part: str = ""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """`labels` in the order of the class ids, also those without objects; findings in the files' order."""

    labels: tuple[str, ...]
    pictures: tuple[LabelledPicture, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that have pictures: train, val and test in this order, or "" alone."""
        present = {picture.part for picture in self.pictures}
        return tuple(part for part in ("", *PARTS) if part in present)

    def counts(self) -> dict[str, int]:
        """Objects by label, zeros included."""
        found = Counter(item.label for picture in self.pictures for item in picture.objects)
        return {label: found[label] for label in self.labels}


def size_of(path: Path, report: Collector) -> PictureSize | None:
    """The size of a picture, or None and a finding."""
    try:
        return read_size(path)
    except PictureError as error:
        report.add("picture-unreadable", error.what)
        return None


def text_of(value: float) -> str:
    """A coordinate with at most three decimals, without trailing zeros: 12, 12.5, 0.125."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
