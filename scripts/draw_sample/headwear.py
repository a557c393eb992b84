"""Headscarf, hood, beanie, cap, turban and sun hat."""

from __future__ import annotations

from draw_sample.canvas import Brush, arc, mirrored, oval, smooth
from draw_sample.head import opening, turned
from draw_sample.palette import darker, lighter
from draw_sample.person import Person

_DOME = [
    (-0.78, -0.42),
    (-0.78, -0.75),
    (-0.5, -1.12),
    (0.0, -1.24),
    (0.5, -1.12),
    (0.78, -0.75),
    (0.78, -0.42),
]


def draw_headwear_behind(brush: Brush, person: Person) -> None:
    """The part behind the head and over the shoulders."""
    if person.headwear in ("headscarf", "hood"):
        half = [
            (0.0, -1.18),
            (0.55, -1.02),
            (0.86, -0.45),
            (0.88, 0.3),
            (0.88, 1.0),
            (1.0, 1.6),
            (0.5, 2.1),
            (0.0, 2.3),
        ]
        brush.fill(smooth(mirrored(half)), darker(person.headwear_colour, 0.25))


def draw_headwear(brush: Brush, person: Person) -> None:
    draw = {
        "headscarf": _headscarf, "hood": _hood, "beanie": _beanie,
        "cap": _cap, "turban": _turban, "sunhat": _sunhat,
    }  # fmt: skip
    if person.headwear != "none":
        draw[person.headwear](brush, person)


def _headscarf(brush: Brush, person: Person) -> None:
    half = [(0.0, -1.16), (0.56, -1.0), (0.86, -0.45), (0.88, 0.3), (0.76, 1.0), (0.6, 1.5), (0.0, 1.75)]
    shawl, face, colour = smooth(mirrored(half)), opening(person), person.headwear_colour
    brush.fill(shawl, colour, without=face)
    for rise in (0.0, 0.18, 0.36):
        fold = [(-0.62 + rise * 0.3, 0.9 + rise), (0.05, 1.2 + rise), (0.66 - rise * 0.3, 0.82 + rise)]
        brush.line(fold, darker(colour, 0.28), 0.03, 0.8)
    brush.line([(-0.3, -0.86), (0.2, -0.94), (0.62, -0.6)], lighter(colour, 0.35), 0.04, 0.6)
    brush.line([*face, face[0]], darker(colour, 0.35), 0.045)


def _hood(brush: Brush, person: Person) -> None:
    half = [(0.0, -1.22), (0.6, -1.04), (0.9, -0.4), (0.86, 0.4), (0.7, 1.1), (0.5, 1.4), (0.0, 1.5)]
    colour, face = person.headwear_colour, opening(person)
    brush.fill(smooth(mirrored(half)), colour, without=face)
    brush.line([*face, face[0]], darker(colour, 0.4), 0.09)
    for side in (-1, 1):
        brush.line([(side * 0.3, 1.1), (side * 0.34, 1.5), (side * 0.3, 1.8)], lighter(colour, 0.6), 0.04)


def _beanie(brush: Brush, person: Person) -> None:
    colour = person.headwear_colour
    brush.fill(smooth(_DOME), colour)
    brush.fill(oval((0.0, -1.3), 0.17, 0.16), lighter(colour, 0.4))
    band = [*arc([(-0.8, -0.44), (0, -0.52), (0.8, -0.44)]), *arc([(0.8, -0.72), (0, -0.82), (-0.8, -0.72)])]
    brush.fill(band, darker(colour, 0.2))
    for step in range(-6, 7):
        brush.line([(step * 0.12, -0.76), (step * 0.12, -0.52)], darker(colour, 0.42), 0.02, 0.7)


def _cap(brush: Brush, person: Person) -> None:
    colour = person.headwear_colour
    dome = smooth(_DOME)
    brush.fill(dome, colour)
    for x in (-0.35, 0.35):
        brush.line([(x * 0.3, -1.22), (x, -0.9), (x * 1.25, -0.5)], darker(colour, 0.3), 0.02)
    peak = [(-0.66, -0.54), (0.0, -0.68), (0.66, -0.54), (0.6, -0.38), (0.0, -0.44), (-0.6, -0.38)]
    brush.fill(smooth([(x + person.yaw * 0.7, y) for x, y in peak]), darker(colour, 0.35))
    brush.fill(turned(oval((0, -0.88), 0.13, 0.12), person.yaw), lighter(colour, 0.7))


def _turban(brush: Brush, person: Person) -> None:
    colour = person.headwear_colour
    half = [(0.0, -1.42), (0.5, -1.36), (0.86, -1.02), (0.9, -0.62), (0.72, -0.3), (0.4, -0.5), (0.0, -0.64)]
    shape = smooth(mirrored(half))
    brush.fill(shape, colour)
    for step in range(5):
        top, reach = -1.3 + 0.15 * step, 0.62 + 0.06 * min(step, 2)
        brush.line([(-reach, top + 0.4), (-0.3, top + 0.2), (0.02, top)], darker(colour, 0.32), 0.03)
        brush.line([(reach, top + 0.4), (0.3, top + 0.2), (0.02, top)], lighter(colour, 0.3), 0.03)


def _sunhat(brush: Brush, person: Person) -> None:
    colour = lighter(person.headwear_colour, 0.35)
    brush.fill(oval((0, -0.56), 1.22, 0.26), darker(colour, 0.12))
    brush.fill(smooth([(x * 0.95, y) for x, y in _DOME]), colour)
    band = [
        *arc([(-0.74, -0.58), (0, -0.5), (0.74, -0.58)]),
        *arc([(0.74, -0.76), (0, -0.7), (-0.74, -0.76)]),
    ]
    brush.fill(band, darker(person.headwear_colour, 0.4))
