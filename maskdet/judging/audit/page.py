"""index.html: one self-contained page of the suspected labels. It opens from disk and needs no network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import quote

import numpy as np

from maskdet.detector.iou import pairwise_iou
from maskdet.detector.picture import read_picture
from maskdet.judging.audit import words
from maskdet.judging.audit.crops import Crop, crop_around
from maskdet.judging.audit.disputes import KINDS
from maskdet.judging.audit.suspects import AuditResult, Suspect
from maskdet.progress import Track
from maskdet.types import Box

_TEMPLATE: Final = Path(__file__).parent / "template"


def page_text(
    result: AuditResult,
    files: Mapping[str, Path],
    labels: Mapping[str, Sequence[Box]],
    opened_in: Path,
    track: Track,
) -> str:
    """The page, to be stored in the folder `opened_in`, from which its links to the pictures start.

    files, labels: where each picture is, and the boxes of all its labels, by its name.
    Raises PictureError for a picture that cannot be read.
    """
    script = _part("page.js")
    suspects = track(result.suspects, "drawing", len(result.suspects))
    cards = [_card(rank, one, files, labels, opened_in) for rank, one in enumerate(suspects, start=1)]
    title = words.HEADING[0]
    return Template(_part("page.html")).substitute(
        title=escape(title),
        script_hash=_hash_source(f"\n{script}"),
        style=_part("page.css"),
        script=script,
        heading=words.both(words.HEADING),
        summary=words.both(words.summary(result)),
        notes=_notes(result),
        label_key=words.both(words.LABEL_KEY),
        said_key=words.both(words.SAID_KEY),
        other_key=words.both(words.OTHER_KEY),
        filter_name="kind · 类型",
        filters=_filters(result),
        cards_name=escape(" · ".join(words.HEADING)),
        cards="\n".join(cards),
        footer=words.both(words.footer()),
    )


def _hash_source(script: str) -> str:
    """What the page's policy allows: this script, and nothing that a label or file name could bring in."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _part(name: str) -> str:
    return (_TEMPLATE / name).read_text(encoding="utf-8")


def _notes(result: AuditResult) -> str:
    lines = "".join(f"<li>{escape(note)}</li>" for note in result.notes)
    return f'<ul lang="en">{lines}</ul>' if lines else ""


def _filters(result: AuditResult) -> str:
    counts = result.counts()
    buttons = [("all", words.ALL, len(result.suspects))]
    buttons += [(kind, words.KIND_NAMES[kind], counts[kind]) for kind in KINDS]
    return "\n".join(
        f'<button type="button" data-kind="{kind}" aria-pressed="{str(kind == "all").lower()}">'
        f"{words.both(names)} {count}</button>"
        for kind, names, count in buttons
    )


def _card(
    rank: int,
    suspect: Suspect,
    files: Mapping[str, Path],
    labels: Mapping[str, Sequence[Box]],
    opened_in: Path,
) -> str:
    file = files[suspect.picture]
    boxes = [box for box in (suspect.label_box, suspect.said_box) if box is not None]
    crop = crop_around(read_picture(file), boxes)
    others = [box for box in labels.get(suspect.picture, ()) if box != suspect.label_box]
    link = escape(_link(file, opened_in))
    return (
        f'<article class="card" data-kind="{suspect.kind}">{_drawing(rank, crop, suspect, others)}<div>'
        f"<h2>{rank}. {words.both(words.KIND_NAMES[suspect.kind])}</h2>"
        f'<p id="reason{rank}">{words.both(words.reason(suspect, _overlap(boxes)))}</p>'
        f'<p class="quiet">{words.both(words.place(suspect))}<br>'
        f'<a href="{link}">{escape(Path(suspect.picture).name)}</a></p></div></article>'
    )


def _drawing(rank: int, crop: Crop, suspect: Suspect, others: Sequence[Box]) -> str:
    x1, y1, x2, y2 = crop.area
    data = base64.b64encode(crop.jpeg).decode()
    rows = [("other", box) for box in others]
    rows += [] if suspect.label_box is None else [("label", suspect.label_box)]
    rows.append(("said", suspect.said_box))
    drawn = "".join(
        _rect("casing thin" if name == "other" else "casing", box) + _rect(name, box) for name, box in rows
    )
    return (
        f'<svg viewBox="{x1} {y1} {x2 - x1} {y2 - y1}" role="img" aria-labelledby="reason{rank}">'
        f'<image x="{x1}" y="{y1}" width="{x2 - x1}" height="{y2 - y1}" preserveAspectRatio="none" '
        f'href="data:image/jpeg;base64,{data}"/>{drawn}</svg>'
    )


def _rect(name: str, box: Box) -> str:
    x1, y1, x2, y2 = box
    return f'<rect class="{name}" x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}"/>'


def _overlap(boxes: Sequence[Box]) -> float:
    arrays = [np.array([box], np.float32) for box in boxes]
    return float(pairwise_iou(arrays[0], arrays[-1])[0, 0])


def _link(file: Path, folder: Path) -> str:
    try:
        return quote(Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix())
    except ValueError:  # another drive
        return file.resolve().as_uri()
