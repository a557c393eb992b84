"""`maskdet data convert`: between Pascal VOC, COCO and YOLO."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maskdet.dataset.formats.convert import Conversion

MAX_DROPPED = 20
"""Dropped items listed; the rest are counted."""


class SetFormat(str, Enum):
    """Formats of labelled sets."""

    VOC = "voc"
    COCO = "coco"
    YOLO = "yolo"


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="A labelled set's folder, or one COCO .json file.")
    ],
    target: Annotated[Path, typer.Argument(metavar="DST", help="Folder to write: missing or empty.")],
    to: Annotated[SetFormat, typer.Option("--to", help="Format to write.")],
    given: Annotated[
        SetFormat | None, typer.Option("--from", help="Format of SRC.", show_default="recognised")
    ] = None,
    link: Annotated[bool, typer.Option("--link", help="Hard-link the pictures instead of copying.")] = False,
    labels_only: Annotated[bool, typer.Option("--labels-only", help="Write no pictures.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Drop bad items and list them.")] = False,
) -> None:
    """Convert a labelled set to Pascal VOC, COCO or YOLO.

    Keeps classes, boxes, difficult flags, pictures without objects, and the split into parts.
    """
    from maskdet.api.display import Display
    from maskdet.cli.console import standard_error
    from maskdet.errors import UsageError
    from maskdet.extras import require

    require("data", "lxml", asks="data convert needs")
    from maskdet.dataset.formats.convert import convert as turn

    if link and labels_only:
        raise UsageError("--link and --labels-only contradict each other", "choose one")
    with Display(standard_error()) as display:
        done = turn(
            source,
            target,
            to.value,
            given=given.value if given else None,
            placing="link" if link else "leave" if labels_only else "copy",
            skip_bad=skip_bad,
            track=display.track,
        )
    _tell(done, source, target)


def _tell(done: Conversion, source: Path, target: Path) -> None:
    from maskdet.cli.console import print_lines, print_notes
    from maskdet.dataset.findings import FATES, Finding, bounded
    from maskdet.dataset.formats.notes import notes
    from maskdet.dataset.formats.recognise import TITLES

    def _of(fate: str) -> list[Finding]:
        return [each for each in done.dropped if each.fate == fate]

    objects = ", ".join(f"{label} {number}" for label, number in done.objects.items())
    parts = ", ".join(f"{part} {number}" for part, number in done.parts.items() if part)
    print_lines(
        [
            f"{TITLES[done.source]} set {source}: {done.pictures} pictures{f' ({parts})' if parts else ''}, "
            f"{sum(done.objects.values())} objects ({objects})",
            f"difficult: {done.difficult}, pictures without objects: {done.negatives}",
            *(f"{fate}: {line}" for fate in FATES for line in bounded(_of(fate), MAX_DROPPED)),
            f"wrote {target} as {TITLES[done.target]}",
        ]
    )
    print_notes(notes(done))
