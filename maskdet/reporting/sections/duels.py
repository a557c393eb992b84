"""The pictures that decide between champion and challenger, with a slider from one's boxes to the other's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from PIL import Image

from maskdet.artefacts import Document
from maskdet.detector.picture import read_picture
from maskdet.errors import PictureError
from maskdet.reporting.chart import line_of
from maskdet.reporting.jpeg import Album
from maskdet.reporting.markup import Markup, element, joined
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.texts import say

_SIDE: Final = 720
"""Pixels of the longer side of a picture on the page."""
_KINDS: Final = ("regressions", "gains")
_LETTERS: Final = 42
"""Letters of a caption that would fill the picture's longer side."""


def duels(run: RunFiles, album: Album) -> Markup | None:
    """Regressions, then gains; pictures that are gone or have no room in the album are counted."""
    told = run.gates
    if told is None or not any(told["deciding"][kind] for kind in _KINDS):
        return None
    parts, files = [element("p", say("duels_note"), class_="quiet")], run.files
    for kind in _KINDS:
        pictures = told["deciding"][kind]
        drawn = [one for each in pictures if (one := _duel(each, files, album)) is not None]
        if drawn:
            parts += [element("h3", say(kind)), element("div", *drawn, class_="duels")]
        if len(drawn) < len(pictures):
            parts.append(element("p", say("unseen", count=str(len(pictures) - len(drawn)))))
    return joined(parts)


def _duel(told: Document, files: Mapping[str, Path], album: Album) -> Markup | None:
    try:
        picture = Image.fromarray(read_picture(files[told["picture"]]))
    except (KeyError, OSError, PictureError):
        return None
    size = picture.size
    picture.thumbnail((_SIDE, _SIDE))
    url = album.take(picture)
    if url is None:
        return None
    labels = _labels(told)
    name = Path(told["picture"]).name
    stack = element(
        "div",
        element("img", src=url, alt=name, width=picture.width, height=picture.height),
        _overlay(told["truth"], size, labels, "truths"),
        _overlay(told["champion"]["found"], size, labels, "before"),
        _overlay(told["challenger"]["found"], size, labels, "after"),
        element("div", class_="edge"),
        class_="stack",
    )
    slider = element(
        "label",
        element("span", say("champion"), aria_hidden="true"),
        element("span", say("slide"), class_="offscreen"),
        element("input", type="range", min="0", max="100", value="50"),
        element("span", say("challenger"), aria_hidden="true"),
    )
    caption = element("figcaption", element("span", name, class_="name"), *_mistakes(told))
    return element("figure", stack, slider, caption, class_="duel")


def _mistakes(told: Document) -> Iterator[Markup]:
    for who in ("champion", "challenger"):
        each = told[who]
        counts = {"missed": each["missed"], "passed": each["bare_passed"], "alarms": each["false_alarms"]}
        words = say("mistakes_of", **{name: str(count) for name, count in counts.items()})
        yield element("div", say(who), ": ", words, class_="quiet")


def _labels(told: Document) -> list[str]:
    faces = (*told["truth"], *told["champion"]["found"], *told["challenger"]["found"])
    # A labelled face to ignore has none.
    return sorted({face["label"] for face in faces if face["label"] is not None})


def _overlay(faces: list[Document], size: tuple[int, int], labels: list[str], kind: str) -> Markup:
    """The boxes as vectors over the picture, in its own pixels."""
    letter = max(size) / _LETTERS
    parts = (part for face in faces for part in _face(face, labels, letter, kind))
    width, height = size
    return element("svg", *parts, viewBox=f"0 0 {width} {height}", class_=kind, aria_hidden="true")


def _face(face: Document, labels: list[str], letter: float, kind: str) -> Iterator[Markup]:
    left, top, right, bottom = face["box"]
    colour = "#fff" if kind == "truths" else line_of(labels.index(face["label"]))[0]
    shape = {"x": left, "y": top, "width": round(right - left, 1), "height": round(bottom - top, 1)}
    if kind != "truths":
        yield element("rect", **shape, stroke="#fff", class_="halo")
    yield element("rect", **shape, stroke=colour, class_="box")
    if "score" in face:
        text, place = f"{face['label']} {face['score']:.2f}", max(letter, top - letter / 4)
        yield element("text", text, x=left, y=round(place, 1), font_size=round(letter, 1))
