"""The legend of a drawn picture: what each outline means, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from maskdet.detector.captions import class_colour, class_name
from maskdet.detector.fonts import Font
from maskdet.detector.outline import Colour, Line, class_line, draw_outline
from maskdet.detector.placement import overlapping
from maskdet.types import Detections, IntArray, Picture

_GROUND: Final[Colour] = (24, 30, 34)
_INK: Final[Colour] = (240, 244, 246)
_SMALLEST_TEXT: Final = 12
_PICTURE_OF_TEXT: Final = 60
"""The picture's longer side as a multiple of the text height."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One class in the legend: `width` is that of its text in `font`, in pixels."""

    text: str
    font: Font
    line: Line
    width: int


def legend_below(picture: Picture, found: Detections, labels: Sequence[str]) -> Picture:
    """The picture with a legend strip below it; unchanged if the legend is too wide."""
    height, width = picture.shape[:2]
    text = _text_size((height, width))
    rows = _rows(_entries(found, labels, text), width, text)
    if rows is None:
        return picture
    return np.concatenate([picture, _panel(rows, width, text)])


def legend_inside(picture: Picture, found: Detections, labels: Sequence[str], kept_free: IntArray) -> None:
    """Draw the legend into the picture without touching `kept_free` [M, 4], if there is room."""
    height, width = picture.shape[:2]
    text = _text_size((height, width))
    entries = _entries(found, labels, text)
    for rows in ([entries], [[entry] for entry in entries]):
        panel = _panel(rows, max(_width(row, text) for row in rows), text)
        corner = _free_corner((panel.shape[0], panel.shape[1]), (height, width), kept_free)
        if corner is not None:
            x, y = corner
            picture[y : y + panel.shape[0], x : x + panel.shape[1]] = panel
            return


def _entries(found: Detections, labels: Sequence[str], text: int) -> list[Entry]:
    counts = np.bincount(found.class_ids, minlength=len(labels))
    return [_entry(labels, int(number), int(counts[number]), text) for number in np.flatnonzero(counts)]


def _entry(labels: Sequence[str], class_id: int, count: int, text: int) -> Entry:
    name, font = class_name(labels, class_id, text)
    said = f"{name}  {count}"
    left, _, right, _ = font.getbbox(said)
    return Entry(said, font, class_line(class_colour(labels, class_id), class_id), round(right - left))


def _text_size(picture: tuple[int, int]) -> int:
    return max(_SMALLEST_TEXT, round(max(picture) / _PICTURE_OF_TEXT))


def _width(entries: Sequence[Entry], text: int) -> int:
    """Pixels of a row: swatch, gap and text of each, and a gap around."""
    return sum(entry.width + 3 * text for entry in entries) + text


def _rows(entries: Sequence[Entry], width: int, text: int) -> list[list[Entry]] | None:
    """The entries in rows no wider than the picture; None if a single entry is wider."""
    rows: list[list[Entry]] = [[]]
    for entry in entries:
        if _width([*rows[-1], entry], text) > width:
            rows.append([])
        rows[-1].append(entry)
    rows = [row for row in rows if row]
    return rows if all(_width(row, text) <= width for row in rows) else None


def _panel(rows: Sequence[Sequence[Entry]], width: int, text: int) -> Picture:
    """[H, width, 3] the legend on its background."""
    step = round(1.8 * text)
    panel = np.full((step * len(rows) + text // 2, width, 3), _GROUND, np.uint8)
    places = list(_places(rows, step, text))
    for (x, y), entry in places:
        draw_outline(panel, np.array([x, y, x + round(1.3 * text), y + text]), entry.line, max(2, text // 7))
    image = Image.fromarray(panel)
    canvas = ImageDraw.Draw(image)
    for (x, y), entry in places:
        middle = y + text / 2
        canvas.text((x + 1.9 * text, middle), entry.text, font=entry.font, fill=_INK, anchor="lm")
    return np.array(image)


def _places(rows: Sequence[Sequence[Entry]], step: int, text: int) -> Iterator[tuple[tuple[int, int], Entry]]:
    for number, row in enumerate(rows):
        x, y = text, number * step + (step + text // 2 - text) // 2
        for entry in row:
            yield (x, y), entry
            x += entry.width + 3 * text


def _free_corner(
    panel: tuple[int, int], picture: tuple[int, int], kept_free: IntArray
) -> tuple[int, int] | None:
    """Upper left corner of a panel (height, width) at an edge of the picture; None if there is no room."""
    high, wide = picture[0] - panel[0], picture[1] - panel[1]
    if high < 0 or wide < 0:
        return None
    spots = np.array([(x, y) for y in (high, 0) for x in (0, wide, wide // 2)])
    rectangles = np.concatenate([spots, spots + panel[::-1]], axis=1)
    free = np.flatnonzero(~overlapping(rectangles, kept_free))
    return (int(spots[free[0], 0]), int(spots[free[0], 1])) if len(free) else None
