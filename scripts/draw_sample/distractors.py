"""Objects that are not faces, some deliberately round, skin-coloured or mask-like."""

from __future__ import annotations

import math

from draw_sample import palette
from draw_sample.canvas import Brush, box, mirrored, oval, smooth
from draw_sample.dice import Dice
from draw_sample.palette import INK, WHITE, Colour, darker, lighter


def draw_distractor(brush: Brush, dice: Dice, kind: str) -> None:
    """Draw one, about 2 units wide around the brush's origin."""
    _KINDS[kind](brush, dice)


def _ball(brush: Brush, dice: Dice) -> None:
    colour = dice.pick((*palette.CLOTHES, *palette.SKINS[2:7]))
    shape = oval((0, 0), 0.9, 0.9)
    brush.fill(shape, colour)
    brush.fill(oval((-0.4, 0.4), 0.8, 0.8), darker(colour, 0.4), 0.5, blur=0.2, inside=shape)
    for bend in (-0.5, 0.0, 0.5):
        brush.line([(bend * 0.5, -0.86), (bend * 1.4, 0), (bend * 0.5, 0.86)], darker(colour, 0.4), 0.05)
    brush.fill(oval((0.3, -0.4), 0.18, 0.13), lighter(colour, 0.7), 0.8, blur=0.06)


def _balloon(brush: Brush, dice: Dice) -> None:
    colour = dice.pick(palette.CLOTHES)
    brush.line([(0, 0.9), (0.12, 1.5), (-0.06, 2.2)], darker(colour, 0.3), 0.03)
    brush.fill([(0, 0.84), (0.14, 1.04), (-0.14, 1.04)], darker(colour, 0.2))
    brush.fill(oval((0, 0), 0.74, 0.92), colour)
    brush.fill(oval((0.26, -0.36), 0.14, 0.26, 0.3), lighter(colour, 0.6), 0.8, blur=0.05)


def _clock(brush: Brush, dice: Dice) -> None:
    rim = dice.pick(palette.CLOTHES)
    brush.fill(oval((0, 0), 0.9, 0.9), rim)
    brush.fill(oval((0, 0), 0.76, 0.76), WHITE)
    for hour in range(12):
        x, y = math.sin(hour * math.pi / 6), -math.cos(hour * math.pi / 6)
        brush.line([(x * 0.6, y * 0.6), (x * 0.68, y * 0.68)], INK, 0.05)
    for length, thick in ((0.36, 0.09), (0.56, 0.06)):
        angle = dice.number(0, 2 * math.pi)
        brush.line([(0, 0), (length * math.sin(angle), -length * math.cos(angle))], INK, thick)


def _plant(brush: Brush, dice: Dice) -> None:
    for lean in (-0.7, -0.35, 0.0, 0.35, 0.7):
        leaf = oval((lean * 0.9, -0.45 + abs(lean) * 0.3), 0.16, 0.62, lean)
        brush.fill(leaf, darker((92, 150, 92), dice.number(0, 0.4)))
    pot = dice.pick(((196, 110, 76), (226, 222, 214), (82, 96, 120)))
    brush.fill([(-0.55, 0.2), (0.55, 0.2), (0.4, 1.0), (-0.4, 1.0)], pot)
    brush.fill(box(-0.62, 0.1, 0.62, 0.32), darker(pot, 0.15))


def _hand(brush: Brush, dice: Dice) -> None:
    draw_hand(brush, dice.pick(palette.SKINS), dice.pick(palette.CLOTHES))


def draw_hand(brush: Brush, skin: Colour, sleeve: Colour) -> None:
    """A raised palm with a sleeve below."""
    brush.line([(0, 0.6), (0.02, 1.5), (0.06, 3.2)], sleeve, 0.66)
    brush.line([(0, 0.5), (0, 1.1)], skin, 0.48)
    for x, tip in ((-0.36, -0.66), (-0.13, -0.88), (0.11, -0.86), (0.34, -0.62)):
        brush.line([(x * 0.8, 0.3), (x * 1.15, tip)], skin, 0.2)
        brush.line([(x * 0.8 + 0.11, 0.0), (x * 1.1 + 0.1, tip + 0.2)], darker(skin, 0.25), 0.02)
    brush.line([(0.2, 0.5), (0.62, 0.16), (0.74, -0.14)], skin, 0.2)
    brush.fill(smooth([(-0.42, -0.02), (0.38, -0.02), (0.4, 0.5), (0.2, 0.8), (-0.26, 0.8)]), skin)
    brush.line([(-0.2, 0.36), (0.06, 0.28), (0.26, 0.1)], darker(skin, 0.3), 0.03)


def _poster(brush: Brush, dice: Dice) -> None:
    first, second = dice.pick(palette.CLOTHES), dice.pick(palette.WALLS)
    sheet = box(-0.9, -1.15, 0.9, 1.15)
    brush.fill(box(-0.98, -1.23, 0.98, 1.23), (82, 62, 52))
    brush.fill(sheet, lighter(second, 0.4))
    brush.fill(oval((dice.number(-0.4, 0.4), -0.5), 0.36, 0.36), (240, 178, 84))
    brush.fill([(-1.4, 1.15), (-0.3, dice.number(-0.4, 0.2)), (0.8, 1.15)], first, inside=sheet)
    brush.fill([(-0.4, 1.15), (0.5, dice.number(-0.1, 0.4)), (1.5, 1.15)], darker(first, 0.3), inside=sheet)


def _robot(brush: Brush, dice: Dice) -> None:
    colour = lighter(dice.pick(palette.CLOTHES), 0.3)
    brush.line([(0, -0.7), (0, -1.05)], darker(colour, 0.4), 0.06)
    brush.fill(oval((0, -1.1), 0.1, 0.1), (226, 84, 76))
    brush.fill(smooth([(-0.7, -0.7), (0.7, -0.7), (0.74, 0.5), (-0.74, 0.5)], 6), colour)
    brush.fill(box(-0.5, -0.4, 0.5, -0.02), INK)
    for x in (-0.25, 0.25):
        brush.fill(box(x - 0.09, -0.3, x + 0.09, -0.12), (120, 226, 214))
    for x in range(-2, 3):
        brush.fill(box(x * 0.16 - 0.05, 0.14, x * 0.16 + 0.05, 0.32), darker(colour, 0.4))
    brush.fill(box(-0.5, 0.62, 0.5, 1.5), darker(colour, 0.15))


def _cat(brush: Brush, dice: Dice) -> None:
    fur = dice.pick(((222, 150, 84), (92, 92, 100), (52, 48, 52), (226, 216, 202)))
    brush.fill(oval((0, 1.1), 0.62, 0.8), darker(fur, 0.12))
    for side in (-1, 1):
        brush.fill([(side * 0.68, -0.86), (side * 0.7, -0.1), (side * 0.16, -0.48)], fur)
    brush.fill(oval((0, 0), 0.74, 0.58), fur)
    for side in (-1, 1):
        brush.fill(oval((side * 0.3, -0.06), 0.12, 0.14), (196, 214, 92))
        brush.fill(oval((side * 0.3, -0.06), 0.035, 0.12), INK)
        brush.line([(side * 0.3, 0.2), (side * 0.86, 0.12)], lighter(fur, 0.6), 0.02)
    brush.fill([(-0.09, 0.14), (0.09, 0.14), (0, 0.24)], (214, 120, 124))


def _lone_mask(brush: Brush, dice: Dice) -> None:
    """A mask on a hook: not a face, so not annotated."""
    colour = dice.pick(palette.SURGICAL)
    shape = smooth(mirrored([(0.0, -0.36), (0.68, -0.4), (0.72, 0.36), (0.0, 0.44)]), 8)
    for side in (-1, 1):
        brush.line([(side * 0.66, -0.3), (side * 0.5, -0.9), (0, -1.2)], darker(WHITE, 0.1), 0.05)
        brush.line([(side * 0.66, 0.3), (side * 1.02, 0.0), (side * 0.66, -0.3)], darker(WHITE, 0.1), 0.05)
    brush.fill(shape, colour)
    for height in (-0.16, 0.04, 0.24):
        brush.line([(-0.68, height), (0, height + 0.04), (0.68, height)], darker(colour, 0.22), 0.03)


def _lamp(brush: Brush, dice: Dice) -> None:
    colour = dice.pick(((244, 214, 140), (240, 232, 214), (206, 96, 84)))
    brush.fill(oval((0, 0.3), 1.3, 1.1), (255, 236, 180), 0.3, blur=0.3)
    brush.line([(0, -6), (0, -0.6)], INK, 0.05)
    brush.fill([(-0.3, -0.6), (0.3, -0.6), (0.85, 0.4), (-0.85, 0.4)], colour)
    brush.fill(oval((0, 0.42), 0.3, 0.22), (255, 248, 220))


_KINDS = {
    "ball": _ball,
    "balloon": _balloon,
    "clock": _clock,
    "plant": _plant,
    "hand": _hand,
    "poster": _poster,
    "robot": _robot,
    "cat": _cat,
    "lone mask": _lone_mask,
    "lamp": _lamp,
}
KINDS = tuple(_KINDS)
