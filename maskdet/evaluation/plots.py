"""Precision against recall and F1 against threshold, one picture for the person who picks a threshold."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maskdet.evaluation.ranking import Curve
from maskdet.evaluation.result import ClassEvaluation, Evaluation
from maskdet.files import staged_file

# Okabe and Ito's palette: told apart by people with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":")
INK = "#333333"
LABEL_LETTERS = 32
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "PingFang SC",
)


def draw_curves(evaluation: Evaluation, target: Path) -> None:
    """Write a PNG with a curve per class that val has; dots mark the thresholds. Deterministic."""
    figure = Figure(figsize=(11, 5.4), dpi=120, layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    shown = [(number, each) for number, each in enumerate(evaluation.classes) if each.truths]
    lines = [_draw_precision_recall(left, number, each) for number, each in shown]
    _legend(left, lines, [f"{_short(each.label)}   AP50 {each.ap50:.1%}" for _, each in shown])
    lines = [_draw_f1(right, number, each) for number, each in shown]
    _legend(
        right,
        lines,
        [f"{_short(each.label)}   F1 {each.f1:.2f} at {each.threshold:.2f}" for _, each in shown],
    )
    _frame(left, f"Precision and recall, AP50 {evaluation.ap50:.1%}", "recall", "precision")
    _frame(right, "F1 by score threshold", "score threshold", "F1")
    _write(figure, target)


def _draw_precision_recall(axes: Axes, number: int, each: ClassEvaluation) -> Line2D:
    recall, precision = each.ranking.recall, each.ranking.precision
    # The curve starts on the axis, at the precision of the best-scored detection, if there is any.
    start = precision[:1]
    line = _line(axes, number, np.append(0 * start, recall), np.append(start, precision))
    if each.precision is not None and each.recall is not None:
        _dot(axes, number, each.recall, each.precision)
    return line


def _draw_f1(axes: Axes, number: int, each: ClassEvaluation) -> Line2D:
    # From the best score down: each F1 holds until the next score is let in. Above the best it is 0.
    f1 = np.concatenate([[0.0], each.ranking.f1])
    scores = np.concatenate([[1.0], each.ranking.scores, [0.0]])
    line = _line(axes, number, scores, np.append(f1, f1[-1]), drawstyle="steps-post")
    _dot(axes, number, each.threshold, each.f1 or 0.0)
    return line


def _line(axes: Axes, number: int, x: Curve, y: Curve, drawstyle: str = "default") -> Line2D:
    dashes = DASHES[number // len(COLOURS) % len(DASHES)]
    colour = COLOURS[number % len(COLOURS)]
    return axes.plot(x, y, color=colour, linestyle=dashes, linewidth=1.8, drawstyle=drawstyle)[0]


def _dot(axes: Axes, number: int, x: float, y: float) -> None:
    colour = COLOURS[number % len(COLOURS)]
    axes.plot(
        [x], [y], "o", color=colour, markersize=8, markeredgecolor="white", markeredgewidth=1.5, zorder=3
    )


def _frame(axes: Axes, title: str, x_name: str, y_name: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.03), xlabel=x_name, ylabel=y_name)
    axes.set_title(title, loc="left", color=INK, fontsize=12)
    axes.grid(color="#E5E5E5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)


def _short(label: str) -> str:
    # A legend wider than its axes would squeeze them.
    return label if len(label) <= LABEL_LETTERS else label[: LABEL_LETTERS - 1] + "…"


def _legend(axes: Axes, lines: Sequence[Line2D], names: Sequence[str]) -> None:
    installed = font_manager.get_font_names()
    families = ["DejaVu Sans", *(font for font in CHINESE_FONTS if font in installed)]
    prop = font_manager.FontProperties(family=families, size=9)
    # Under the axes, where no curve can run behind it.
    legend = axes.legend(lines, names, loc="upper left", bbox_to_anchor=(0, -0.13), prop=prop, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _write(figure: Figure, target: Path) -> None:
    with staged_file(target) as aside, warnings.catch_warnings():
        # A system without a Chinese font shows boxes for such labels; that is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # Without the matplotlib version in the file, an upgrade does not change it for nothing.
        figure.savefig(aside, format="png", metadata={"Software": None})
