"""Precision against recall, and F1, precision and recall against threshold, for choosing a threshold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from maskdet.evaluation.plots.figures import (
    INK,
    add_legend,
    draw_dot,
    draw_line,
    font_for_labels,
    frame,
    new_figure,
    short,
    write_figure,
)
from maskdet.evaluation.result import ClassEvaluation, Evaluation

_COLUMNS = 3


def draw_curves(evaluation: Evaluation, target: Path) -> None:
    """Write a PNG with a curve per class that has an AP; dots mark the answer at its thresholds."""
    figure = new_figure(11, 5.4)
    left, right = figure.subplots(1, 2)
    shown = [(number, each) for number, each in enumerate(evaluation.classes) if each.ap50 is not None]
    lines = [_draw_precision_recall(left, number, each) for number, each in shown]
    add_legend(left, lines, [f"{short(each.label)}   AP50 {each.ap50:.1%}" for _, each in shown])
    lines = [_draw_f1(right, number, each) for number, each in shown]
    add_legend(
        right,
        lines,
        [f"{short(each.label)}   F1 {each.f1:.2f} at {each.threshold:.2f}" for _, each in shown],
    )
    frame(left, f"Precision and recall, AP50 {evaluation.ap50:.1%}", "recall", "precision")
    frame(right, "F1 by score threshold", "score threshold", "F1")
    write_figure(figure, target)


def draw_thresholds(evaluation: Evaluation, target: Path) -> None:
    """Write a PNG with precision, recall and F1 by threshold, one panel per class that has an AP."""
    shown = [each for each in evaluation.classes if each.ap50 is not None]
    rows = -(-len(shown) // _COLUMNS)
    figure = new_figure(4 * min(len(shown), _COLUMNS), 4.2 * rows)
    parts = list(figure.subplots(rows, min(len(shown), _COLUMNS), squeeze=False).flat)
    for axes, each in zip(parts, shown, strict=False):
        _draw_rates(axes, each)
    for axes in parts[len(shown) :]:
        axes.set_axis_off()
    write_figure(figure, target)


def _draw_rates(axes: Axes, each: ClassEvaluation) -> None:
    ranking = each.ranking
    curves = (("precision", ranking.precision), ("recall", ranking.recall), ("F1", ranking.f1))
    scores = np.append(ranking.scores, 0.0)
    lines = [
        draw_line(
            axes, number, scores, np.append(curve, curve[-1:] if len(curve) else 0.0), drawstyle="steps-post"
        )
        for number, (_, curve) in enumerate(curves)
    ]
    axes.axvline(each.threshold, color=INK, linewidth=1, linestyle=":")
    frame(axes, "", "score threshold", "")
    axes.set_title(
        f"{short(each.label)}, {each.threshold:.2f}",
        loc="left",
        fontproperties=font_for_labels(11),
        parse_math=False,
    )
    add_legend(axes, lines, [name for name, _ in curves])


def _draw_precision_recall(axes: Axes, number: int, each: ClassEvaluation) -> Line2D:
    recall, precision = each.ranking.recall, each.ranking.precision
    # The curve starts on the axis, at the precision of the best-scored detection, if there is any.
    start = precision[:1]
    line = draw_line(axes, number, np.append(0 * start, recall), np.append(start, precision))
    if each.precision is not None and each.recall is not None:
        draw_dot(axes, number, each.recall, each.precision)
    return line


def _draw_f1(axes: Axes, number: int, each: ClassEvaluation) -> Line2D:
    # From the best score down: each F1 holds until the next score is included. Above the best it is 0.
    f1 = np.concatenate([[0.0], each.ranking.f1])
    scores = np.concatenate([[1.0], each.ranking.scores, [0.0]])
    line = draw_line(axes, number, scores, np.append(f1, f1[-1]), drawstyle="steps-post")
    draw_dot(axes, number, each.threshold, each.f1 or 0.0)
    return line
