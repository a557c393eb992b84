"""Eyes, brows, nose, mouth, beard and glasses."""

from __future__ import annotations

from draw_sample.canvas import Brush, oval, smooth
from draw_sample.head import outline, turned
from draw_sample.palette import INK, WHITE, Colour, darker, lighter, mix
from draw_sample.person import Person

_EYE_X, _EYE_Y = 0.29, -0.06


def draw_eyes(brush: Brush, person: Person) -> None:
    for side in (-1, 1):
        x = side * _EYE_X
        almond = [
            (x - 0.14, _EYE_Y + 0.01),
            (x, _EYE_Y - 0.085),
            (x + 0.14, _EYE_Y + 0.01),
            (x, _EYE_Y + 0.075),
        ]
        white = turned(smooth(almond), person.yaw)
        brush.fill(white, WHITE)
        [(look, _)] = turned([(x, 0.0)], person.yaw * 1.1)
        brush.fill(oval((look, _EYE_Y), 0.072, 0.075), person.eyes, inside=white)
        brush.fill(oval((look, _EYE_Y), 0.034, 0.036), INK, inside=white)
        brush.fill(oval((look + 0.025, _EYE_Y - 0.025), 0.018, 0.018), WHITE)
        lid = [(x - 0.15, _EYE_Y + 0.015), (x, _EYE_Y - 0.085), (x + 0.15, _EYE_Y + 0.015)]
        brush.line(turned(lid, person.yaw), INK, 0.03)
        _brow(brush, person, side)


def _brow(brush: Brush, person: Person, side: int) -> None:
    colour = darker(person.hair_colour, 0.25) if sum(person.hair_colour) < 560 else person.hair_colour
    bow = [(side * 0.13, -0.235), (side * 0.28, -0.29), (side * 0.44, -0.235)]
    brush.line(turned(bow, person.yaw), colour, person.brow)


def draw_nose(brush: Brush, person: Person) -> None:
    shadow = darker(person.skin, 0.3)
    ridge = turned([(-0.07, 0.0), (-0.09, 0.2), (-0.14, 0.3)], person.yaw * 1.5)
    brush.fill(smooth([*ridge, *turned([(0, 0.36), (0.02, 0.1)], person.yaw * 1.5)]), shadow, 0.35, blur=0.03)
    wing = [(-0.13, 0.28), (-0.07, 0.36), (0.0, 0.33), (0.07, 0.36), (0.13, 0.28)]
    brush.line(turned(wing, person.yaw * 1.35), darker(person.skin, 0.42), 0.035)
    tip = turned(oval((0.03, 0.2), 0.035, 0.07), person.yaw * 1.5)
    brush.fill(tip, lighter(person.skin, 0.5), 0.6, blur=0.03)


def draw_mouth(brush: Brush, person: Person) -> None:
    # On dark skin a rose that is lighter than the skin, on light skin one that is darker, so that it shows.
    rose = (214, 84, 92) if sum(person.skin) < 330 else (178, 44, 56)
    lips = mix(person.skin, rose, 0.62)
    draw = {"smile": _smile, "laugh": _laugh, "lips": _lips, "neutral": _neutral, "open": _open_mouth}
    draw[person.mouth](brush, person, lips)


def _smile(brush: Brush, person: Person, lips: Colour) -> None:
    bow = turned([(-0.27, 0.55), (-0.12, 0.64), (0, 0.66), (0.12, 0.64), (0.27, 0.55)], person.yaw)
    brush.line(bow, darker(lips, 0.3), 0.05)
    brush.line(turned([(-0.1, 0.73), (0.1, 0.73)], person.yaw), darker(person.skin, 0.25), 0.03, 0.7)


def _laugh(brush: Brush, person: Person, lips: Colour) -> None:
    shape = turned(
        smooth([(-0.31, 0.53), (0, 0.57), (0.31, 0.53), (0.2, 0.74), (0, 0.8), (-0.2, 0.74)]), person.yaw
    )
    brush.fill(shape, (112, 30, 40))
    teeth = turned(smooth([(-0.27, 0.54), (0, 0.57), (0.27, 0.54), (0.2, 0.64), (-0.2, 0.64)]), person.yaw)
    brush.fill(teeth, WHITE, inside=shape)
    brush.fill(turned(oval((0, 0.79), 0.13, 0.07), person.yaw), (214, 96, 100), inside=shape)
    brush.line([*shape, shape[0]], lips, 0.035)


def _lips(brush: Brush, person: Person, lips: Colour) -> None:
    upper = [(-0.25, 0.61), (-0.08, 0.54), (0, 0.57), (0.08, 0.54), (0.25, 0.61), (0, 0.64)]
    lower = [(-0.24, 0.61), (0, 0.63), (0.24, 0.61), (0.1, 0.73), (-0.1, 0.73)]
    brush.fill(turned(smooth(lower), person.yaw), lighter(lips, 0.12))
    brush.fill(turned(smooth(upper), person.yaw), lips)
    brush.line(turned([(-0.24, 0.61), (0, 0.635), (0.24, 0.61)], person.yaw), darker(lips, 0.5), 0.022)


def _neutral(brush: Brush, person: Person, lips: Colour) -> None:
    brush.line(turned([(-0.22, 0.62), (0, 0.61), (0.22, 0.62)], person.yaw), darker(lips, 0.3), 0.05)
    brush.line(turned([(-0.11, 0.72), (0, 0.735), (0.11, 0.72)], person.yaw), lips, 0.04, 0.8)


def _open_mouth(brush: Brush, person: Person, lips: Colour) -> None:
    ring = turned(oval((0, 0.64), 0.17, 0.14), person.yaw)
    brush.fill(ring, (96, 26, 36))
    brush.fill(turned(oval((0, 0.73), 0.1, 0.06), person.yaw), (204, 92, 96), inside=ring)
    brush.line([*ring, ring[0]], lips, 0.045)


def draw_beard(brush: Brush, person: Person) -> None:
    """The beard, before the mouth is drawn over it."""
    shape, colour = outline(person), person.hair_colour
    if person.beard in ("full", "stubble"):
        opacity = 1.0 if person.beard == "full" else 0.3
        jaw = [(-0.8, 0.1), (-0.6, 0.12), (-0.5, 0.42), (-0.24, 0.44), (0, 0.42), (0.24, 0.44), (0.5, 0.42)]
        round_jaw = [*jaw, (0.6, 0.12), (0.8, 0.1), (0.8, 1.1), (-0.8, 1.1)]
        brush.fill(round_jaw, colour, opacity, blur=0.02, inside=shape)
    if person.beard == "full":
        brush.fill(turned(oval((0, 0.65), 0.27, 0.13), person.yaw), darker(person.skin, 0.1))
    if person.beard in ("moustache", "goatee"):
        lip = [(-0.3, 0.56), (-0.12, 0.42), (0, 0.44), (0.12, 0.42), (0.3, 0.56), (0, 0.52)]
        brush.fill(turned(smooth(lip), person.yaw), colour)
    if person.beard == "goatee":
        chin = [(-0.14, 0.8), (0.14, 0.8), (0.17, 0.96), (0, 1.06), (-0.17, 0.96)]
        brush.fill(turned(smooth(chin), person.yaw), colour)


def draw_glasses(brush: Brush, person: Person) -> None:
    if person.glasses == "none":
        return
    frame = INK if person.glasses != "round" else (122, 72, 44)
    for side in (-1, 1):
        centre = (side * 0.3, -0.04)
        rim = smooth(_square(centre)) if person.glasses != "round" else oval(centre, 0.22, 0.21)
        rim = turned(rim, person.yaw)
        dark = person.glasses == "sun"
        brush.fill(rim, INK if dark else (206, 226, 238), 0.94 if dark else 0.25)
        brush.line([*rim, rim[0]], frame, 0.035)
        brush.line(turned([(side * 0.5, -0.06), (side * 0.73, -0.08)], person.yaw), frame, 0.035)
    brush.line(turned([(-0.08, -0.06), (0, -0.1), (0.08, -0.06)], person.yaw), frame, 0.035)


def _square(centre: tuple[float, float]) -> list[tuple[float, float]]:
    x, y = centre
    half = [(0.0, -0.17), (0.2, -0.16), (0.22, 0.0), (0.17, 0.17), (0.0, 0.18)]
    return [*((x + dx, y + dy) for dx, dy in half), *((x - dx, y + dy) for dx, dy in half[3:0:-1])]
