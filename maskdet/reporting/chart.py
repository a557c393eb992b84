"""Line charts as inline SVG: they follow the page's colours and language, and print sharply."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from maskdet.reporting.markup import Markup, element

Point = tuple[float, float]

WIDTH: Final = 480
HEIGHT: Final = 300
_LEFT: Final = 46
_BOTTOM: Final = 40
_TOP: Final = 10
_RIGHT: Final = 12
_TICKS: Final = 5
_INK: Final = "currentColor"
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette without black, which a dark page would hide."""
DASHES: Final = (None, "6 3", "2 2")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: its name in the legend, its points, and points to mark with a dot."""

    name: str
    points: Sequence[Point]
    colour: str = _INK
    dash: str | None = None
    dots: Sequence[Point] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows, from its low to its high end."""

    name: str
    low: float = 0.0
    high: float = 1.0

    def ticks(self) -> list[float]:
        """Round numbers within the axis."""
        step = _round_step((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def share(self, value: float) -> float:
        """How far along the axis a value is, 0 to 1."""
        return (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)


def line_of(number: int) -> tuple[str, str | None]:
    """Colour and dashes of a class by its id."""
    return COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]


def axis_to(name: str, values: Sequence[float]) -> Axis:
    """From 0 to a little over the largest value."""
    return Axis(name, 0.0, 1.05 * max(values, default=0.0) or 1.0)


def line_chart(title: str, lines: Sequence[Line], across: Axis, up: Axis) -> Markup:
    """A figure with its title, the curves, and the legend below."""
    drawing = element(
        "svg",
        *_grid(across, up),
        *(part for line in lines for part in _curve(line, across, up)),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        aria_hidden="true",
    )
    legend = element("ul", *(element("li", _sample(line), line.name) for line in lines), class_="legend")
    return element("figure", element("figcaption", title), drawing, legend, class_="chart")


def _grid(across: Axis, up: Axis) -> Iterator[Markup]:
    for value in across.ticks():
        x = _x(across, value)
        yield element("line", x1=x, x2=x, y1=_TOP, y2=HEIGHT - _BOTTOM, class_="grid")
        yield element("text", _number(value), x=x, y=HEIGHT - _BOTTOM + 15, text_anchor="middle")
    for value in up.ticks():
        y = _y(up, value)
        yield element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield element("text", _number(value), x=_LEFT - 6, y=y + 4, text_anchor="end")
    yield _axis_name(across.name, x=WIDTH - _RIGHT, y=HEIGHT - 6, text_anchor="end")
    yield _axis_name(up.name, x=6, y=_TOP + 2, transform=f"rotate(-90 12 {_TOP + 2})", text_anchor="end")


def _axis_name(name: str, **place: str | float) -> Markup:
    # SVG text has no spans: both languages are texts of their own.
    if isinstance(name, Markup):
        inner = name.replace("<span", "<tspan").replace("</span>", "</tspan>")
        return element("text", Markup(inner), **place)
    return element("text", name, **place)


def _curve(line: Line, across: Axis, up: Axis) -> Iterator[Markup]:
    points = " ".join(f"{_x(across, x)},{_y(up, y)}" for x, y in line.points)
    yield element(
        "polyline", points=points, stroke=line.colour, stroke_dasharray=line.dash, fill="none", class_="curve"
    )
    for x, y in line.dots:
        yield element("circle", cx=_x(across, x), cy=_y(up, y), r=4, fill=line.colour, class_="dot")


def _sample(line: Line) -> Markup:
    stroke = element(
        "line", x1=0, x2=24, y1=6, y2=6, stroke=line.colour, stroke_dasharray=line.dash, class_="curve"
    )
    return element("svg", stroke, viewBox="0 0 24 12", width=24, height=12, aria_hidden="true")


def _x(axis: Axis, value: float) -> float:
    return round(_LEFT + axis.share(value) * (WIDTH - _LEFT - _RIGHT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - _BOTTOM - axis.share(value) * (HEIGHT - _BOTTOM - _TOP), 1)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at least `rough`."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))
