"""The plots of the report: sizes of faces, objects per class, and pictures with their boxes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from PIL import Image

from maskdet.artefacts import FACE_SIZES, OBJECTS, SAMPLES
from maskdet.dataset.manifest import Manifest, ManifestPicture, Part
from maskdet.dataset.report.fonts import Typeface, typeface
from maskdet.dataset.statistics import SMALL, Sizes, face_sizes, part_counts, sample, share_under
from maskdet.detector.captions import class_colour
from maskdet.detector.picture import read_picture
from maskdet.png import write_png

_PARTS = {"train": "#3D4F63", "val": "#9DB4CC"}
_INK, _GREY = "#222222", "#8A8A8A"
_DPI = 144
_SHEET_DPI = 110
_SHEET = (4, 3)
_LEGEND_COLUMNS = 6
_NAME_LENGTH = 28
_PLACE = (320, 286)
"""Width and height of a picture on the sheet, at most, in pixels."""


def draw_plots(manifest: Manifest, out: Path, input_size: tuple[int, int]) -> None:
    """Write the three plots into the folder `out`; `input_size` is (height, width)."""
    face = typeface()
    write_png(_face_sizes(manifest, input_size, face), out / FACE_SIZES)
    write_png(_objects(manifest, face), out / OBJECTS)
    write_png(_samples(manifest, face), out / SAMPLES)


def class_names(labels: tuple[str, ...], face: Typeface) -> list[str]:
    """Names as shown in the plots: "class 2" for one that no font on this machine can draw."""
    return [face.shown(label, f"class {number}", _NAME_LENGTH) for number, label in enumerate(labels)]


def _face_sizes(manifest: Manifest, input_size: tuple[int, int], face: Typeface) -> Figure:
    sizes = face_sizes(manifest, input_size)
    figure, axes = _figure(9.6, 4.6)
    largest = max((float(values.max()) for values in sizes.values() if len(values)), default=64.0)
    top = max(7, int(np.ceil(np.log2(largest))))
    bins = [2.0 ** (quarter / 4) for quarter in range(4, 4 * top + 1)]
    values = [np.clip(sizes[label], bins[0], None) for label in manifest.labels]
    axes.hist(
        values, bins=bins, stacked=True, color=_colours(manifest.labels), edgecolor="white", linewidth=0.4
    )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([2.0**power for power in range(1, top + 1)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlim(bins[0], bins[-1])
    axes.margins(y=0.16)
    _mark_limits(axes, list(sizes.values()), face)
    _title(axes, f"Face sizes at the network's input, {input_size[1]} x {input_size[0]}")
    _axis_names(axes, "square root of the area, pixels", "faces", face)
    handles = [Patch(color=colour) for colour in _colours(manifest.labels)]
    names = class_names(manifest.labels, face)
    figure.legend(handles, names, loc="outside right upper", frameon=False, prop=face.font(9))
    return figure


def _mark_limits(axes: Axes, sizes: list[Sizes], face: Typeface) -> None:
    height = axes.get_ylim()[1]
    for limit in SMALL:
        axes.axvline(limit, color=_INK, linewidth=0.9, linestyle=(0, (4, 3)))
        text = f"{share_under(sizes, limit):.0%} < {limit} px"
        axes.text(
            limit * 0.97, height * 0.985, text, ha="right", va="top", fontproperties=face.font(8), color=_INK
        )


def _objects(manifest: Manifest, face: Typeface) -> Figure:
    labels = manifest.labels
    figure, axes = _figure(8.0, 2.0 + 0.62 * len(labels))
    rows = np.arange(len(labels))
    longest = 1
    parts: tuple[tuple[float, Part], ...] = ((-0.2, "train"), (0.2, "val"))
    for offset, part in parts:
        counts = part_counts(manifest, part)
        numbers = [counts.objects[label] for label in labels]
        bars = axes.barh(rows + offset, numbers, height=0.36, color=_PARTS[part])
        bars.set_label(f"{part}: {counts.pictures} pictures")
        for row, number in zip(rows, numbers, strict=True):
            axes.annotate(
                f"{number}", (number, row + offset), xytext=(4, 0), textcoords="offset points",
                va="center", fontproperties=face.font(9), color=_INK,
            )  # fmt: skip
        longest = max(longest, *numbers)
    axes.set_yticks(rows, class_names(labels, face), fontproperties=face.font(10))
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#E4E4E4", linewidth=0.8)
    _title(axes, "Objects per class and part")
    _axis_names(axes, "objects", "", face)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, prop=face.font(9))
    return figure


def _samples(manifest: Manifest, face: Typeface) -> Figure:
    columns, lines = _SHEET
    pictures = sample(manifest, columns * lines)
    lines = -(-len(pictures) // columns)
    legend_lines = -(-len(manifest.labels) // _LEGEND_COLUMNS)
    head = 0.35 + 0.3 * legend_lines
    height = head + 2.6 * lines
    figure = Figure(figsize=(12.0, height), dpi=_SHEET_DPI, facecolor="white")
    figure.subplots_adjust(
        left=0.01, right=0.99, bottom=0.01, top=1 - head / height, wspace=0.04, hspace=0.14
    )
    for place, picture in enumerate(pictures, start=1):
        axes = figure.add_subplot(lines, columns, place)
        _draw_picture(axes, manifest, picture)
        name = face.shown(PurePosixPath(picture.picture).name, f"picture {place}", _NAME_LENGTH)
        axes.set_title(f"{name} · {picture.part}", fontproperties=face.font(8.5), color=_INK, pad=4)
    handles = [Patch(color=colour) for colour in _colours(manifest.labels)]
    names, columns = class_names(manifest.labels, face), min(len(handles), _LEGEND_COLUMNS)
    figure.legend(handles, names, loc="upper center", ncols=columns, frameon=False, prop=face.font(11))
    return figure


def _draw_picture(axes: Axes, manifest: Manifest, picture: ManifestPicture) -> None:
    small, labels = Image.fromarray(read_picture(manifest.path(picture))), manifest.labels
    # Pillow shrinks it to the size of its place: matplotlib's own filters take ten times as long.
    small.thumbnail(_PLACE, Image.Resampling.LANCZOS)
    scale_x, scale_y = small.width / picture.width, small.height / picture.height
    axes.imshow(np.asarray(small), interpolation="bilinear", extent=(0, small.width, small.height, 0))
    for item in picture.objects:
        xmin, ymin, xmax, ymax = item.box
        corner, size = (xmin * scale_x, ymin * scale_y), ((xmax - xmin) * scale_x, (ymax - ymin) * scale_y)
        colour = _colour(labels, labels.index(item.label)) if item.label in labels else _GREY
        # A white line under the coloured one keeps boxes visible on any background.
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor="white", linewidth=2.4))
        axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=1.4))
    axes.set_axis_off()


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_GREY)
    axes.tick_params(colors=_INK, color=_GREY, labelsize=9)
    axes.grid(axis="y", color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=12, fontweight="bold", color=_INK, pad=10)


def _axis_names(axes: Axes, below: str, beside: str, face: Typeface) -> None:
    axes.set_xlabel(below, fontproperties=face.font(9), color=_INK)
    axes.set_ylabel(beside, fontproperties=face.font(9), color=_INK)


def _colours(labels: tuple[str, ...]) -> list[tuple[float, float, float]]:
    return [_colour(labels, number) for number in range(len(labels))]


def _colour(labels: tuple[str, ...], number: int) -> tuple[float, float, float]:
    """RGB in 0..1, the same as in drawn detections."""
    red, green, blue = class_colour(labels, number)
    return red / 255, green / 255, blue / 255
