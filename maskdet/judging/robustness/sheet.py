"""The worst conditions drawn: the pictures that lose most answers, with labels and the model's answer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from maskdet.detector.fonts import find_latin
from maskdet.evaluation.sheet.colours import INK, PAPER, SAID, TRUTH
from maskdet.evaluation.sheet.text import font_for
from maskdet.judging.robustness.corruptions import Condition
from maskdet.judging.robustness.result import Robustness
from maskdet.judging.robustness.trial import Trial
from maskdet.system.files import staged_file

_COLUMNS: Final = 3
_SIDE: Final = 420
"""Pixels of the longer side of a drawn picture."""
_GAP: Final = 10
_LINE: Final = 20
_TEXT: Final = 13


def draw_conditions(trial: Trial, result: Robustness, target: Path) -> None:
    """Write a PNG with a row for each of the worst conditions; blue is the label, orange the answer."""
    wide, high = _SIDE + _GAP, _SIDE + _GAP + _LINE
    sheet = Image.new("RGB", (_COLUMNS * wide + _GAP, len(result.worst) * high + _GAP), PAPER)
    canvas = ImageDraw.Draw(sheet)
    for row, condition in enumerate(result.worst):
        title = f"{condition.text} (blue: labelled, orange: answered)"
        canvas.text((_GAP, row * high + _GAP), title, font=find_latin(_TEXT), fill=INK)
        for column, number in enumerate(result.losers(condition)[:_COLUMNS]):
            drawn = _drawn(trial, number, condition)
            sheet.paste(drawn, (column * wide + _GAP, row * high + _GAP + _LINE))
    with staged_file(target) as aside:
        sheet.save(aside, format="png")


def _drawn(trial: Trial, number: int, condition: Condition) -> Image.Image:
    pixels, truth = trial.picture(trial.pictures[number], condition)
    said = trial.answer(pixels)
    scale = _SIDE / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    picture = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    canvas = ImageDraw.Draw(picture)
    for box in truth.boxes * scale:
        canvas.rectangle(tuple(box + np.array([-2, -2, 2, 2])), outline=TRUTH, width=2)
    for box, class_id, score in zip(said.boxes * scale, said.class_ids, said.scores, strict=True):
        canvas.rectangle(tuple(box), outline=SAID, width=2)
        text = f"{trial.match.labels[class_id]} {score:.2f}"
        # Outlined, so that it can be read on any picture.
        canvas.text(
            (max(2, box[0]), max(2, box[1] - _TEXT - 4)),
            text,
            font=font_for(text, _TEXT),
            fill=SAID,
            stroke_width=2,
            stroke_fill=PAPER,
        )
    return picture
