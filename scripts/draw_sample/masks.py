"""Masks that cover nose, mouth and chin, with their straps."""

from __future__ import annotations

from draw_sample.canvas import Brush, Point, box, mirrored, oval, smooth
from draw_sample.head import ear_centres, turned
from draw_sample.palette import INK, WHITE, darker, lighter
from draw_sample.person import Mask, Person

_SURGICAL = [(0.0, 0.1), (0.2, 0.16), (0.56, 0.2), (0.58, 0.62), (0.4, 0.94), (0.0, 1.07)]
_CLOTH = [(0.0, 0.06), (0.16, 0.12), (0.4, 0.24), (0.6, 0.3), (0.56, 0.66), (0.34, 0.98), (0.0, 1.08)]
_FFP2 = [(0.0, 0.0), (0.12, 0.1), (0.34, 0.26), (0.58, 0.44), (0.5, 0.76), (0.28, 1.0), (0.0, 1.13)]
_SHAPES = {"surgical": _SURGICAL, "cloth": _CLOTH, "ffp2": _FFP2}


def draw_mask(brush: Brush, person: Person) -> None:
    if person.mask is None:
        return
    shape = turned(smooth(mirrored(_SHAPES[person.mask.shape])), person.yaw)
    _straps(brush, person, person.mask)
    brush.fill([(x + 0.01, y + 0.03) for x, y in shape], darker(person.skin, 0.5), 0.5, blur=0.03)
    brush.fill(shape, person.mask.colour)
    {"surgical": _surgical, "cloth": _cloth, "ffp2": _ffp2}[person.mask.shape](
        brush, person, person.mask, shape
    )
    brush.fill(oval((-0.6, 0.7), 0.24, 0.6), darker(person.mask.colour, 0.4), 0.5, blur=0.1, inside=shape)
    brush.line([*shape, shape[0]], darker(person.mask.colour, 0.28), 0.03)


def _straps(brush: Brush, person: Person, mask: Mask) -> None:
    colour = darker(WHITE, 0.08) if mask.shape != "cloth" else mask.colour
    edge = _SHAPES[mask.shape]
    corners = [point for point in edge if point[0] > 0.48]
    for x, y in ear_centres(person):
        side = 1 if x > 0 else -1
        for end, height in ((corners[0], y - 0.12), (corners[-1], y + 0.16)):
            [start] = turned([(side * end[0], end[1])], person.yaw)
            brush.line([start, (x * 1.02, height)], colour, 0.035)


def _surgical(brush: Brush, person: Person, mask: Mask, shape: list[Point]) -> None:
    for height in (0.42, 0.58, 0.74):
        fold = [(-0.6, height - 0.02), (-0.3, height + 0.03), (0, height + 0.05)]
        pleat = turned([*fold, *((-x, y) for x, y in reversed(fold[:2]))], person.yaw)
        brush.line(pleat, darker(mask.colour, 0.2), 0.025)
        brush.line([(x, y + 0.03) for x, y in pleat], lighter(mask.colour, 0.5), 0.02)
    wire = [(-0.5, 0.25), (-0.2, 0.21), (0, 0.16), (0.2, 0.21), (0.5, 0.25)]
    brush.line(turned(wire, person.yaw), lighter(mask.colour, 0.6), 0.035)


def _cloth(brush: Brush, person: Person, mask: Mask, shape: list[Point]) -> None:
    light = sum(mask.colour) > 480
    accent = darker(mask.colour, 0.4) if light else lighter(mask.colour, 0.55)
    if mask.pattern == "dots":
        for row in range(7):
            for column in range(-4, 5):
                dot = (column * 0.17 + 0.085 * (row % 2), 0.18 + row * 0.14)
                brush.fill(turned(oval(dot, 0.035, 0.035), person.yaw), accent, inside=shape)
    elif mask.pattern == "stripes":
        for row in range(5):
            brush.fill(box(-0.9, 0.2 + row * 0.2, 0.9, 0.28 + row * 0.2), accent, inside=shape)
    elif mask.pattern == "seam":
        brush.line(
            turned([(0, 0.08), (0.02, 0.55), (0, 1.06)], person.yaw * 1.3), darker(mask.colour, 0.35), 0.03
        )


def _ffp2(brush: Brush, person: Person, mask: Mask, shape: list[Point]) -> None:
    flank = turned([(0, -0.1), (-0.9, -0.1), (-0.9, 1.3), (0, 1.3), (-0.03, 0.5)], person.yaw * 1.4)
    brush.fill(flank, darker(mask.colour, 0.16), inside=shape)
    brush.line(turned([(0, 0.02), (0.03, 0.5), (0, 1.12)], person.yaw * 1.4), darker(mask.colour, 0.3), 0.03)
    brush.line(turned([(-0.24, 0.22), (0, 0.1), (0.24, 0.22)], person.yaw), darker(mask.colour, 0.35), 0.03)
    if mask.valve:
        brush.fill(turned(oval((0.27, 0.62), 0.13, 0.13), person.yaw), lighter(INK, 0.55))
        brush.fill(turned(oval((0.27, 0.61), 0.08, 0.08), person.yaw), lighter(INK, 0.75))
