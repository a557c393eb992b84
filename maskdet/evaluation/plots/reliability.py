"""Share that is right by score, before and after the calibration, in one plot."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from maskdet.evaluation.calibration.effect import Reliabilities
from maskdet.evaluation.calibration.reliability import Reliability
from maskdet.evaluation.plots.figures import (
    INK,
    add_legend,
    colour_of,
    frame,
    new_figure,
    short,
    write_figure,
)
from maskdet.evaluation.result import Evaluation


def draw_reliability(evaluation: Evaluation, target: Path) -> None:
    """Write a PNG with a panel before and, if there is one, after; a dot grows with its detections."""
    result = evaluation.calibration
    panels = [] if result is None else [("Scores of the model", result.before)]
    if result is not None and result.after is not None:
        panels.append(("Calibrated on the other folds", result.after))
    figure = new_figure(5.5 * max(1, len(panels)), 5.6)
    for axes, (title, each) in zip(
        figure.subplots(1, max(1, len(panels)), squeeze=False).flat, panels, strict=False
    ):
        _draw(axes, title, each)
    write_figure(figure, target)


def _draw(axes: Axes, title: str, each: Reliabilities) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":")
    rows = [(label, one) for label, one in each.rows() if label != "all"]
    lines = [_line(axes, number, one) for number, (_, one) in enumerate(rows)]
    frame(axes, f"{title}, error {_error(each.overall)}", "score", "share that is right")
    add_legend(axes, lines, [f"{short(label)}   error {_error(one)}" for label, one in rows])


def _line(axes: Axes, number: int, one: Reliability) -> Line2D:
    x, y = [each.score for each in one.bins], [each.right for each in one.bins]
    sizes = [8 + min(120.0, each.count) for each in one.bins]
    axes.scatter(x, y, sizes, color=colour_of(number), alpha=0.5, linewidths=0)
    return axes.plot(x, y, color=colour_of(number), linewidth=1.5)[0]


def _error(one: Reliability) -> str:
    return "–" if one.ece is None else f"{one.ece:.3f}"
