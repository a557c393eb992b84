"""Drawing in an object's own coordinates on a picture three times as large: scaled down, edges are smooth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from draw_sample.palette import Colour

Point = tuple[float, float]
OVERSAMPLING = 3


def smooth(points: Sequence[Point], steps: int = 10) -> list[Point]:
    """A closed Catmull-Rom curve through the points."""
    count = len(points)
    return [
        _between(points[i - 1], points[i], points[(i + 1) % count], points[(i + 2) % count], step / steps)
        for i in range(count)
        for step in range(steps)
    ]


def arc(points: Sequence[Point], steps: int = 10) -> list[Point]:
    """An open Catmull-Rom curve from the first point to the last."""
    held = [points[0], *points, points[-1]]
    curve = [
        _between(held[i], held[i + 1], held[i + 2], held[i + 3], step / steps)
        for i in range(len(points) - 1)
        for step in range(steps)
    ]
    return [*curve, points[-1]]


def oval(centre: Point, radius_x: float, radius_y: float, turn: float = 0.0, steps: int = 36) -> list[Point]:
    """An ellipse; `turn` in radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    angles = (2 * math.pi * step / steps for step in range(steps))
    flat = ((radius_x * math.cos(a), radius_y * math.sin(a)) for a in angles)
    return [(centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos) for x, y in flat]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def mirrored(points: Sequence[Point]) -> list[Point]:
    """The points and, in reverse order, their mirror images in the y axis: one closed outline."""
    return [*points, *((-x, y) for x, y in reversed(points) if x)]


def _between(before: Point, start: Point, end: Point, after: Point, t: float) -> Point:
    def along(p: float, a: float, b: float, n: float) -> float:
        return a + 0.5 * t * (b - p + t * (2 * p - 5 * a + 4 * b - n + t * (3 * (a - b) + n - p)))

    return along(before[0], start[0], end[0], after[0]), along(before[1], start[1], end[1], after[1])


@dataclass(frozen=True)
class Brush:
    """Draws on `image`; the origin and the length of a unit are in its pixels, the tilt in radians."""

    image: Image.Image
    origin: Point = (0.0, 0.0)
    unit: float = float(OVERSAMPLING)
    tilt: float = 0.0

    def place(self, points: Sequence[Point]) -> list[Point]:
        """Own coordinates to pixels of the large picture."""
        cos, sin = math.cos(self.tilt) * self.unit, math.sin(self.tilt) * self.unit
        x0, y0 = self.origin
        return [(x0 + x * cos - y * sin, y0 + x * sin + y * cos) for x, y in points]

    def fill(
        self,
        outline: Sequence[Point],
        colour: Colour,
        opacity: float = 1.0,
        *,
        blur: float = 0.0,
        inside: Sequence[Point] | None = None,
        without: Sequence[Point] | None = None,
    ) -> None:
        """Fill an outline; `blur` in own units, only `inside` one other outline and `without` another."""
        placed = self.place(outline)
        radius = blur * self.unit
        frame = self._frame(placed, radius)
        if frame is None:
            return
        stencil = _stencil(placed, frame)
        if radius:
            stencil = stencil.filter(ImageFilter.GaussianBlur(radius))
        if inside is not None:
            stencil = ImageChops.multiply(stencil, _stencil(self.place(inside), frame))
        if without is not None:
            stencil = ImageChops.subtract(stencil, _stencil(self.place(without), frame))
        self._stamp(stencil, frame, colour, opacity)

    def line(self, points: Sequence[Point], colour: Colour, width: float, opacity: float = 1.0) -> None:
        """A curve through the points with round ends; `width` in own units."""
        placed = self.place(arc(points))
        thick = max(1.0, width * self.unit)
        frame = self._frame(placed, thick)
        if frame is None:
            return
        stencil = Image.new("L", (frame[2] - frame[0], frame[3] - frame[1]))
        pen = ImageDraw.Draw(stencil)
        moved = [(x - frame[0], y - frame[1]) for x, y in placed]
        pen.line(moved, fill=255, width=round(thick), joint="curve")
        for x, y in (moved[0], moved[-1]):
            pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
        self._stamp(stencil, frame, colour, opacity)

    def _frame(self, placed: Sequence[Point], margin: float) -> tuple[int, int, int, int] | None:
        spread = math.ceil(2.5 * margin) + 1
        columns, rows = [x for x, _ in placed], [y for _, y in placed]
        left, top = max(0, math.floor(min(columns)) - spread), max(0, math.floor(min(rows)) - spread)
        right = min(self.image.width, math.ceil(max(columns)) + spread)
        bottom = min(self.image.height, math.ceil(max(rows)) + spread)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _stamp(
        self, stencil: Image.Image, frame: tuple[int, int, int, int], colour: Colour, opacity: float
    ) -> None:
        if opacity < 1:
            stencil = stencil.point([round(level * opacity) for level in range(256)])
        self.image.paste(colour, frame, stencil)


def _stencil(placed: Sequence[Point], frame: tuple[int, int, int, int]) -> Image.Image:
    stencil = Image.new("L", (frame[2] - frame[0], frame[3] - frame[1]))
    ImageDraw.Draw(stencil).polygon([(x - frame[0], y - frame[1]) for x, y in placed], fill=255)
    return stencil
