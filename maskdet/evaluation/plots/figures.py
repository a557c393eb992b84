"""Shared by the evaluation's plots: colours, axes, legends, and reproducible files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maskdet.evaluation.ranking import Curve
from maskdet.png import write_png

# Okabe and Ito's palette: distinguishable with any colour vision.
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


def new_figure(wide: float, high: float) -> Figure:
    """An empty figure of that size in inches."""
    return Figure(figsize=(wide, high), dpi=120, layout="constrained", facecolor="white")


def colour_of(number: int) -> str:
    """The colour of a class."""
    return COLOURS[number % len(COLOURS)]


def draw_line(axes: Axes, number: int, x: Curve, y: Curve, drawstyle: str = "default") -> Line2D:
    """A curve in the colour and dashes of a class."""
    dashes = DASHES[number // len(COLOURS) % len(DASHES)]
    return axes.plot(x, y, color=colour_of(number), linestyle=dashes, linewidth=1.8, drawstyle=drawstyle)[0]


def draw_dot(axes: Axes, number: int, x: float, y: float) -> None:
    """A dot on the curve of a class."""
    axes.plot(
        [x],
        [y],
        "o",
        color=colour_of(number),
        markersize=8,
        markeredgecolor="white",
        markeredgewidth=1.5,
        zorder=3,
    )


def frame(axes: Axes, title: str, x_name: str, y_name: str) -> None:
    """Both axes from 0 to 1, a title and a faint grid."""
    axes.set(xlim=(-0.01, 1.01), ylim=(0, 1.03), xlabel=x_name, ylabel=y_name)
    axes.set_title(title, loc="left", color=INK, fontsize=12)
    axes.grid(color="#E5E5E5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)


def short(label: str) -> str:
    """The label, shortened if long."""
    # A legend wider than its axes would squeeze them.
    return label if len(label) <= LABEL_LETTERS else label[: LABEL_LETTERS - 1] + "…"


def add_legend(axes: Axes, lines: Sequence[Artist], names: Sequence[str]) -> None:
    """Names under the axes."""
    prop = font_for_labels(9)
    # Under the axes, where no curve runs behind it.
    legend = axes.legend(lines, names, loc="upper left", bbox_to_anchor=(0, -0.13), prop=prop, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def font_for_labels(size: float) -> font_manager.FontProperties:
    """A font that also has Chinese, if the system has one."""
    installed = font_manager.get_font_names()
    families = ["DejaVu Sans", *(font for font in CHINESE_FONTS if font in installed)]
    return font_manager.FontProperties(family=families, size=size)


def write_figure(figure: Figure, target: Path) -> None:
    """Write a PNG, the same bytes for the same figure."""
    with warnings.catch_warnings():
        # A system without a Chinese font shows boxes for such labels; that is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        write_png(figure, target)
