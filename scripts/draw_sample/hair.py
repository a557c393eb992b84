"""Hair: the part behind the head, and the part on it."""

from __future__ import annotations

import math

from draw_sample.canvas import Brush, Point, arc, mirrored, oval, smooth
from draw_sample.head import outline, turned
from draw_sample.palette import darker, lighter
from draw_sample.person import Person

# Each style's hairline from the left temple to the right one, before the head turns.
_HIGH = [
    (-0.62, -0.12),
    (-0.56, -0.46),
    (-0.3, -0.62),
    (0.0, -0.66),
    (0.3, -0.62),
    (0.56, -0.46),
    (0.62, -0.12),
]
_SIDE = [
    (-0.62, -0.12),
    (-0.57, -0.4),
    (-0.36, -0.6),
    (0.0, -0.5),
    (0.34, -0.44),
    (0.56, -0.36),
    (0.62, -0.12),
]
_PARTED = [(-0.62, 0.2), (-0.56, -0.3), (-0.26, -0.6), (0.0, -0.74), (0.26, -0.6), (0.56, -0.3), (0.62, 0.2)]
_FRINGE = [
    (-0.62, 0.0),
    (-0.54, -0.34),
    (-0.25, -0.36),
    (0.0, -0.38),
    (0.25, -0.36),
    (0.54, -0.34),
    (0.62, 0.0),
]
_LINES = {
    "short": _SIDE,
    "bob": _FRINGE,
    "fringe": _FRINGE,
    "long": _PARTED,
    "wavy": _PARTED,
    "braids": _PARTED,
}
_VOLUME = {"buzz": 1.02, "quiff": 1.14, "afro": 1.1, "curly": 1.1}
_LENGTH = {"bob": 0.78, "long": 2.0, "wavy": 1.85}


def draw_hair_behind(brush: Brush, person: Person) -> None:
    shade = darker(person.hair_colour, 0.22)
    if person.hair == "afro":
        brush.fill(oval((0, -0.42), 1.06, 0.98), shade)
        _bumps(
            brush, [(0.98 * math.cos(a / 3), -0.42 + 0.92 * math.sin(a / 3)) for a in range(19)], 0.17, shade
        )
    elif person.hair == "bun":
        brush.fill(oval((0.1, -1.2), 0.32, 0.3), shade)
    elif person.hair == "ponytail":
        side = -1 if person.yaw > 0 else 1
        tail = [(0.5, -0.7), (0.95, -0.6), (1.08, 0.1), (0.92, 0.9), (0.78, 1.1), (0.78, 0.2), (0.6, -0.3)]
        brush.fill(smooth([(side * x, y) for x, y in tail]), shade)
    elif person.hair in _LENGTH:
        _curtain(brush, person, _LENGTH[person.hair])


def _curtain(brush: Brush, person: Person, length: float) -> None:
    shade = darker(person.hair_colour, 0.22)
    half = [
        (0.0, -1.08),
        (0.55, -0.98),
        (0.8, -0.5),
        (0.86, 0.2),
        (0.9, length * 0.7),
        (0.72, length),
        (0.0, length),
    ]
    brush.fill(smooth(mirrored(half)), shade)
    if person.hair == "wavy":
        knots = [(side * 0.86, 0.1 + 0.3 * step) for side in (-1, 1) for step in range(6)]
        _bumps(brush, knots, 0.2, shade)


def draw_hair(brush: Brush, person: Person) -> None:
    """The hair on the head, over forehead and temples."""
    if person.hair == "bald":
        return
    if person.hair == "balding":
        _sides(brush, person)
        return
    cap = _cap(person)
    brush.fill(cap, person.hair_colour, 0.8 if person.hair == "buzz" else 1.0)
    if person.hair in ("curly", "afro"):
        rim = [point for point in cap if point[1] < -0.2]
        _bumps(brush, rim[::5], 0.13, person.hair_colour)
    elif person.hair != "buzz":
        _shine(brush, person, cap)
    if person.hair == "quiff":
        tuft = [(-0.5, -0.7), (-0.45, -1.1), (0.1, -1.32), (0.6, -1.15), (0.5, -0.72), (0.0, -0.6)]
        brush.fill(smooth([(x + person.yaw * 0.3, y) for x, y in tuft]), person.hair_colour)
    if person.hair == "braids":
        _braids(brush, person)


def _cap(person: Person) -> list[Point]:
    volume = _VOLUME.get(person.hair, 1.07)
    outer = [(x * volume, (y + 0.1) * volume - 0.1) for x, y in outline(person) if y < -0.05]
    outer.sort(key=lambda point: math.atan2(point[0], -point[1]), reverse=True)
    line = turned(_LINES.get(person.hair, _HIGH), person.yaw)
    # The spline would round off the corners at the temples: only the hairline is smoothed.
    return [*arc(line), *outer]


def _shine(brush: Brush, person: Person, cap: list[Point]) -> None:
    glow = oval((0.25, -0.86), 0.3, 0.1, 0.4)
    brush.fill(glow, lighter(person.hair_colour, 0.45), 0.5, blur=0.06, inside=cap)
    for start in (-0.3, -0.05, 0.2):
        strand = [(start, -1.0), (start + 0.08, -0.85), (start + 0.25, -0.7)]
        brush.line(strand, darker(person.hair_colour, 0.3), 0.02, 0.6)


def _sides(brush: Brush, person: Person) -> None:
    shape = outline(person)
    for side in (-1, 1):
        patch = [
            (side * 0.74, -0.4),
            (side * 0.5, -0.36),
            (side * 0.58, -0.1),
            (side * 0.62, 0.06),
            (side * 0.8, 0.0),
        ]
        brush.fill(smooth(patch), person.hair_colour, inside=[(x * 1.07, y) for x, y in shape])
    brush.fill(oval((0.2, -0.78), 0.22, 0.1), lighter(person.skin, 0.6), 0.6, blur=0.06, inside=shape)


def _braids(brush: Brush, person: Person) -> None:
    for side in (-1, 1):
        for step in range(9):
            link = oval((side * (0.72 + 0.02 * step), 0.1 + 0.19 * step), 0.13, 0.13)
            brush.fill(link, person.hair_colour)
            brush.line([(link[9][0] - 0.08, link[9][1]), (link[9][0] + 0.08, link[9][1] - 0.06)],
                       darker(person.hair_colour, 0.45), 0.03)  # fmt: skip


def _bumps(brush: Brush, centres: list[Point], radius: float, colour: tuple[int, int, int]) -> None:
    for number, centre in enumerate(centres):
        brush.fill(oval(centre, radius, radius), lighter(colour, 0.07) if number % 2 else colour)
