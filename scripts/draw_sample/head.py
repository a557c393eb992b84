"""The head's geometry: outline, the turn to a side, ears, neck, shoulders and shading.

A head's coordinates: the crown is at y = -1, the chin at y = 1, ears at x = -0.7 and x = 0.7, y down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from draw_sample.canvas import Brush, Point, box, mirrored, oval, smooth
from draw_sample.palette import INK, darker, lighter, mix
from draw_sample.person import Person

HAIRLINE = -0.66
_RADIUS = 0.74


def outline(person: Person) -> list[Point]:
    """Crown to chin as one smooth closed curve."""
    jaw, width = person.jaw, person.width
    half = [(0.0, -1.0), (0.4, -0.92), (0.64, -0.6), (0.69, -0.1), (0.65, 0.3)]
    low = [(0.5 * jaw, 0.72), (0.24 * jaw, 0.95), (0.0, 1.0)]
    lean = 0.1 * person.yaw
    return smooth([(x * width + lean * (1 - abs(y)), y) for x, y in mirrored([*half, *low])])


def turned(points: Sequence[Point], yaw: float) -> list[Point]:
    """Points on the front of a head, moved as the head turns: the far side narrows."""

    def across(x: float) -> float:
        return _RADIUS * math.sin(math.asin(max(-1.0, min(1.0, x / _RADIUS))) * (1 - abs(yaw) / 4) + yaw)

    return [(across(x), y) for x, y in points]


def ear_centres(person: Person) -> list[Point]:
    """The visible ears: a turned head hides one."""
    sides = [side for side in (-1, 1) if side * person.yaw < 0.17]
    return [(side * (0.71 * person.width - 0.12 * abs(person.yaw)), 0.04) for side in sides]


def draw_body(brush: Brush, person: Person) -> None:
    """Legs, shoulders, clothes and neck, down to the feet."""
    upright = Brush(brush.image, brush.origin, brush.unit, brush.tilt * 0.25)
    _legs(upright, person)
    half = [(0.3, 1.28), (0.75, 1.44), (1.12, 1.66), (1.26, 2.2), (1.34, 4.6), (1.26, 5.15)]
    torso = smooth(mirrored(half))
    upright.fill(torso, person.clothes)
    if person.striped:
        for row in range(6):
            stripe = box(-1.6, 2.0 + row * 0.5, 1.6, 2.2 + row * 0.5)
            upright.fill(stripe, lighter(person.clothes, 0.35), inside=torso)
    for side in (-1, 1):
        upright.fill(oval((side * 1.12, 4.95), 0.2, 0.26), person.skin)
        sleeve = [(side * 0.86, 2.3), (side * 0.9, 3.2), (side * 0.88, 4.7)]
        upright.line(sleeve, darker(person.clothes, 0.3), 0.04)
    upright.fill(oval((-1.2, 3.2), 0.7, 2.4), INK, 0.16, blur=0.25, inside=torso)
    _neck(brush, upright, person)


def _legs(upright: Brush, person: Person) -> None:
    trousers = darker(mix(person.clothes, (58, 66, 92), 0.7), 0.2)
    for side in (-1, 1):
        upright.fill(oval((side * 0.62, 9.3), 0.5, 0.24), INK)
        upright.fill([(0, 4.6), (side * 1.14, 4.6), (side * 0.9, 9.2), (side * 0.3, 9.2)], trousers)
    upright.line([(0, 5.2), (0, 6.4)], darker(trousers, 0.5), 0.04)


def _neck(brush: Brush, upright: Brush, person: Person) -> None:
    skin = darker(person.skin, 0.14)
    depth = {"crew": 1.5, "v": 1.95, "shirt": 1.7}[person.collar]
    upright.fill(smooth([(-0.4, 1.3), (0.4, 1.3), (0.3, 1.42), (0, depth), (-0.3, 1.42)]), skin)
    neck = [(-0.34, 0.5), (0.34, 0.5), (0.38, 1.38), (-0.38, 1.38)]
    brush.fill(neck, skin)
    brush.fill(oval((0.04, 0.86), 0.44, 0.36), darker(person.skin, 0.42), 0.7, blur=0.06, inside=neck)
    if person.collar == "shirt":
        for side in (-1, 1):
            flap = [(side * 0.36, 1.28), (side * 0.52, 1.46), (side * 0.3, 1.86), (side * 0.02, 1.66)]
            upright.fill(flap, lighter(person.clothes, 0.25))
    elif person.collar == "crew":
        upright.line([(-0.4, 1.32), (-0.24, 1.48), (0, 1.53), (0.24, 1.48), (0.4, 1.32)],
                     darker(person.clothes, 0.25), 0.07)  # fmt: skip


def draw_head(brush: Brush, person: Person) -> None:
    """Ears and the head with its shadow side, highlight and blush, all without features."""
    for x, y in ear_centres(person):
        brush.fill(oval((x, y), 0.12, 0.2), darker(person.skin, 0.06))
        brush.fill(oval((x, y + 0.01), 0.06, 0.12), darker(person.skin, 0.25))
    shape = outline(person)
    brush.fill(shape, person.skin)
    brush.fill(oval((-0.66, 0.15), 0.3, 1.0), darker(person.skin, 0.35), 0.6, blur=0.14, inside=shape)
    brush.fill(oval((0.22, -0.42), 0.3, 0.2), lighter(person.skin, 0.4), 0.45, blur=0.14, inside=shape)
    for side in (-1, 1):
        cheek = turned(oval((side * 0.4, 0.32), 0.15, 0.11), person.yaw)
        brush.fill(cheek, mix(person.skin, (214, 72, 66), 0.45), 0.4, blur=0.06, inside=shape)


def face_points(person: Person) -> list[Point]:
    """The points that the box of the face is drawn around: hairline to chin, ear to ear."""
    if person.headwear in ("headscarf", "hood"):
        return opening(person)
    top = {"none": HAIRLINE, "sunhat": -0.5}.get(person.headwear, -0.52)
    face = [(x, y) for x, y in outline(person) if y >= top]
    crown = [(x, top) for x, y in outline(person) if abs(y - top) < 0.12]
    ears = [point for centre in ear_centres(person) for point in oval(centre, 0.12, 0.2)]
    return [*face, *crown, *ears]


def opening(person: Person) -> list[Point]:
    """The part of the head that a headscarf or hood leaves free."""
    shift = 0.3 * person.yaw
    half = [(0.0, -0.62), (0.4, -0.5), (0.58, -0.1), (0.57, 0.35), (0.36, 0.84), (0.0, 0.99)]
    return smooth([(x * person.width + shift * (1 - abs(y)), y) for x, y in mirrored(half)])
