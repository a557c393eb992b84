"""The worst mistakes drawn: each face enlarged, with its label and the model's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from maskdet.detector.outline import Colour
from maskdet.detector.picture import read_picture
from maskdet.evaluation.mistakes import Mistake
from maskdet.evaluation.sheet.colours import INK, PAPER, SAID, TRUTH
from maskdet.evaluation.sheet.text import write_within
from maskdet.system.files import staged_file
from maskdet.types import Box

_COLUMNS: Final = 6
_SIDE: Final = 230
"""Pixels of a drawn crop."""
_GAP: Final = 10
_LINE: Final = 17
_TEXT: Final = 13
_LINES: Final = 4
_SURROUND: Final = 2.6
"""Side of the crop, as a multiple of the larger box's side."""
_LEAST_SIDE: Final = 48
"""Fewest pixels of the picture that a crop shows."""
_ROOM: Final = 4
"""Pixels by which the labelled box is drawn larger, so that both are visible where they agree."""
_BEYOND: Final[Colour] = (225, 225, 225)


def draw_worst(mistakes: Sequence[Mistake], files: Mapping[str, Path], target: Path) -> None:
    """Write a PNG; blue is the label, orange the model's answer. `files`: where pictures are, by name."""
    columns = min(_COLUMNS, max(1, len(mistakes)))
    rows = max(1, -(-len(mistakes) // columns))
    cell = (_SIDE + _GAP, _SIDE + _LINES * _LINE + 2 * _GAP)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), PAPER)
    for number, mistake in enumerate(mistakes):
        row, column = divmod(number, columns)
        _draw_cell(sheet, mistake, files[mistake.path], (column * cell[0] + _GAP, row * cell[1] + _GAP))
    with staged_file(target) as aside:
        sheet.save(aside, format="png")


def _draw_cell(sheet: Image.Image, mistake: Mistake, file: Path, corner: tuple[int, int]) -> None:
    sheet.paste(draw_mistake(mistake, file), corner)
    canvas = ImageDraw.Draw(sheet)
    top = corner[1] + _SIDE + 4
    for number, (text, colour) in enumerate(_captions(mistake)):
        write_within(canvas, (corner[0], top + number * _LINE), text, colour, size=_TEXT, width=_SIDE)


def _captions(mistake: Mistake) -> list[tuple[str, Colour]]:
    truth = f"labelled {mistake.truth}" if mistake.truth else "labelled: no face here"
    said = f"said {mistake.said} {mistake.score:.2f}" if mistake.said else "said: nothing"
    return [(mistake.kind, INK), (truth, TRUTH), (said, SAID), (Path(mistake.path).name, (110, 110, 110))]


def draw_mistake(mistake: Mistake, file: Path) -> Image.Image:
    """A square crop around the face, enlarged, with both boxes; `file` is the picture."""
    picture = Image.fromarray(read_picture(file))
    boxes = [box for box in (mistake.truth_box, mistake.said_box) if box is not None]
    left, top, side = _window(boxes)
    # The area beyond the picture is grey, so that a face at the edge stays in the middle.
    enlarged = Image.new("RGB", (_SIDE, _SIDE), _BEYOND)
    _paste_visible(enlarged, picture, (left, top, side))
    scale = _SIDE / side
    canvas = ImageDraw.Draw(enlarged)
    for box, colour, room in ((mistake.truth_box, TRUTH, _ROOM), (mistake.said_box, SAID, 0)):
        if box is not None:
            x1, y1, x2, y2 = (
                (edge - start) * scale for edge, start in zip(box, (left, top) * 2, strict=True)
            )
            frame = (x1 - room, y1 - room, x2 + room, y2 + room)
            canvas.rectangle(frame, outline=PAPER, width=4)
            canvas.rectangle(tuple(np.add(frame, (1, 1, -1, -1))), outline=colour, width=2)
    return enlarged


def _paste_visible(crop: Image.Image, picture: Image.Image, window: tuple[int, int, int]) -> None:
    """Resize only what the window shows of the picture: around a large face it is far larger."""
    left, top, side = window
    visible = max(left, 0), max(top, 0), min(left + side, picture.width), min(top + side, picture.height)
    if visible[0] >= visible[2] or visible[1] >= visible[3]:
        return
    x1, y1, x2, y2 = (
        round((edge - start) * _SIDE / side) for edge, start in zip(visible, (left, top) * 2, strict=True)
    )
    size = max(1, x2 - x1), max(1, y2 - y1)
    crop.paste(picture.resize(size, Image.Resampling.BICUBIC, box=visible), (x1, y1))


def _window(boxes: Sequence[Box]) -> tuple[int, int, int]:
    """Left and upper edge and side of the square that the crop shows, in pixels of the picture."""
    x1, y1 = min(box[0] for box in boxes), min(box[1] for box in boxes)
    x2, y2 = max(box[2] for box in boxes), max(box[3] for box in boxes)
    side = max(_LEAST_SIDE, round(_SURROUND * max(x2 - x1, y2 - y1)))
    return round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2), side
