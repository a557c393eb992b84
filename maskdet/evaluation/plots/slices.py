"""Recall in each slice of val, in one plot: where the model is weak."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from maskdet.evaluation.plots.figures import add_legend, colour_of, frame, new_figure, short, write_figure
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.slices import BINS, COLLECTION, Slice

_TITLES = {
    "face_pixels": "by face width, px at network scale",
    "faces_per_picture": "by faces in the picture",
    "brightness": "by brightness of the picture",
    COLLECTION: "by collection",
}
_GROUP = 0.8
"""Share of a slice's width that its bars fill."""


def draw_slices(evaluation: Evaluation, target: Path) -> None:
    """Write a PNG with a bar for each class in each slice, and the number of faces it represents."""
    by_axis: dict[str, list[Slice]] = {axis: [] for axis in BINS}
    for each in evaluation.slices:
        by_axis.setdefault(each.axis, []).append(each)
    figure = new_figure(4.3 * len(by_axis), 4.4)
    labels = [each.label for each in evaluation.classes if each.ap50 is not None]
    parts = figure.subplots(1, len(by_axis), sharey=True)
    for axes, (axis, slices) in zip(parts, by_axis.items(), strict=True):
        _draw_axis(axes, slices, labels)
        frame(axes, f"Recall {_TITLES[axis]}", "", "")
        axes.set_xlim(-0.6, len(slices) - 0.4)
    add_legend(parts[0], parts[0].containers, [short(label) for label in labels])
    write_figure(figure, target)


def _draw_axis(axes: Axes, slices: Sequence[Slice], labels: Sequence[str]) -> None:
    width = _GROUP / len(labels)
    places = np.arange(len(slices))
    for number, label in enumerate(labels):
        cells = [each.classes[label] for each in slices]
        left = places - _GROUP / 2 + width * (number + 0.5)
        bars = axes.bar(left, [cell.recall or 0.0 for cell in cells], 0.9 * width, color=colour_of(number))
        axes.bar_label(bars, [str(cell.faces) for cell in cells], fontsize=7, padding=1)
    axes.set_xticks(places, [each.name for each in slices])
