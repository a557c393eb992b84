"""Backgrounds: eight kinds of places, drawn in pixels of the finished picture."""

from __future__ import annotations

import math

from draw_sample import palette
from draw_sample.canvas import Brush, box, oval, smooth
from draw_sample.dice import Dice
from draw_sample.palette import Colour, darker, lighter, mix

Size = tuple[int, int]

_SKY: tuple[Colour, ...] = ((150, 196, 226), (188, 214, 226), (238, 200, 170), (120, 146, 186), (66, 78, 118))
_GREEN: tuple[Colour, ...] = ((112, 152, 92), (86, 130, 96), (146, 168, 98), (70, 104, 84))


def draw_background(brush: Brush, size: Size, kind: str, dice: Dice) -> None:
    _KINDS[kind](brush, size, dice)


def _gradient(brush: Brush, size: Size, top: Colour, bottom: Colour) -> None:
    width, height = size
    rows = height // 2 + 1
    for row in range(rows):
        brush.fill(box(0, row * 2, width, row * 2 + 3), mix(top, bottom, row / rows))


def _studio(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    first, second = dice.pick(palette.WALLS), dice.pick(palette.WALLS)
    _gradient(brush, size, lighter(first, 0.15), darker(second, 0.25))
    for _ in range(dice.whole(0, 4)):
        centre = (dice.number(0, width), dice.number(0, height))
        radius = dice.number(50, 130)
        brush.fill(oval(centre, radius, radius), lighter(first, 0.4), 0.3, blur=dice.pick((0.0, 12.0)))


def _bricks(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    colour: Colour = dice.pick(((168, 92, 74), (150, 112, 92), (128, 134, 142), (206, 192, 176)))
    brush.fill(box(0, 0, width, height), lighter(colour, 0.4))
    wide = dice.number(34, 60)
    high = wide * 0.42
    for row in range(math.ceil(height / high)):
        for column in range(-1, math.ceil(width / wide) + 1):
            left, top = (column + 0.5 * (row % 2)) * wide, row * high
            shade = darker(colour, dice.number(0, 0.22))
            brush.fill(box(left + 1, top + 1, left + wide - 1, top + high - 1), shade)


def _street(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    sky = dice.pick(_SKY)
    horizon = height * dice.number(0.62, 0.8)
    _gradient(brush, size, sky, lighter(sky, 0.6))
    left = -dice.number(0, 40)
    while left < width:
        wide, top = dice.number(60, 120), dice.number(-20, horizon * 0.5)
        _house(brush, (left, top, left + wide, horizon), dice)
        left += wide + dice.pick((0.0, 0.0, 14.0))
    brush.fill(box(0, horizon, width, height), (112, 112, 120))
    brush.fill(box(0, horizon, width, horizon + 12), (176, 172, 166))
    for start in range(0, width, 70):
        brush.fill(box(start, horizon + 40, start + 36, horizon + 46), (232, 228, 214))


def _house(brush: Brush, edges: tuple[float, float, float, float], dice: Dice) -> None:
    left, top, right, bottom = edges
    wall = darker(dice.pick(palette.WALLS), dice.number(0, 0.3))
    glass = dice.pick((darker(wall, 0.5), lighter(wall, 0.5), (244, 214, 130)))
    brush.fill(box(left, top, right, bottom), wall)
    columns = max(2, int((right - left) / 28))
    step = (right - left) / columns
    for row in range(int((bottom - top) / 36)):
        for column in range(columns):
            x, y = left + (column + 0.25) * step, top + 12 + row * 36
            brush.fill(box(x, y, x + step * 0.5, y + 20), glass)


def _park(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    sky, green = dice.pick(_SKY), dice.pick(_GREEN)
    _gradient(brush, size, sky, lighter(sky, 0.6))
    for layer in range(3):
        crest = height * (0.45 + 0.16 * layer)
        hill = [(x * width / 6, crest + dice.number(-28, 28)) for x in range(-1, 8)]
        colour = darker(lighter(green, 0.3), 0.22 * layer)
        brush.fill([*smooth(hill)[:80], (width * 1.3, height), (-50, height)], colour)
    for _ in range(dice.whole(1, 4)):
        _tree(brush, (dice.number(0, width), height * dice.number(0.6, 0.85)), dice.number(60, 130), dice)


def _tree(brush: Brush, foot: tuple[float, float], high: float, dice: Dice) -> None:
    x, y = foot
    leaves = darker(dice.pick(_GREEN), 0.2)
    brush.fill(box(x - high * 0.05, y - high * 0.6, x + high * 0.05, y), (104, 78, 60))
    for dx, dy, radius in ((0, -0.85, 0.3), (-0.2, -0.65, 0.24), (0.2, -0.65, 0.24), (0.06, -0.95, 0.2)):
        shade = lighter(leaves, 0.2) if dx > 0 else leaves
        brush.fill(oval((x + dx * high, y + dy * high), radius * high, radius * high), shade)


def _room(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    wall = dice.pick(palette.WALLS)
    floor = height * dice.number(0.78, 0.9)
    _gradient(brush, size, lighter(wall, 0.1), darker(wall, 0.12))
    brush.fill(box(0, floor, width, height), dice.pick(((150, 108, 76), (120, 96, 84), (176, 150, 122))))
    brush.fill(box(0, floor - 6, width, floor), lighter(wall, 0.6))
    left, wide = dice.number(0, width * 0.6), dice.number(90, 150)
    _window(brush, (left, height * 0.08, left + wide, height * 0.55), dice)
    _shelf(brush, ((left + width * 0.5) % width, height * dice.number(0.25, 0.4)), dice)


def _window(brush: Brush, edges: tuple[float, float, float, float], dice: Dice) -> None:
    left, top, right, bottom = edges
    sky = dice.pick(_SKY)
    brush.fill(box(left - 6, top - 6, right + 6, bottom + 6), (246, 244, 238))
    brush.fill(box(left, top, right, bottom), sky)
    brush.fill([(left, bottom), (right, top), (right, bottom)], lighter(sky, 0.35), 0.6)
    middle = (left + right) / 2
    brush.fill(box(middle - 3, top, middle + 3, bottom), (246, 244, 238))


def _shelf(brush: Brush, corner: tuple[float, float], dice: Dice) -> None:
    left, top = corner
    at = left
    for _ in range(dice.whole(5, 9)):
        wide, high = dice.number(6, 13), dice.number(24, 40)
        brush.fill(box(at, top - high, at + wide, top), dice.pick(palette.CLOTHES))
        at += wide + 1
    brush.fill(box(left - 8, top, at + 8, top + 6), (124, 88, 62))


def _tiles(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    colour = dice.pick(palette.WALLS)
    side = dice.number(26, 54)
    accent = dice.pick((darker(colour, 0.14), lighter(colour, 0.3), dice.pick(palette.CLOTHES)))
    for row in range(math.ceil(height / side)):
        for column in range(math.ceil(width / side)):
            tile = accent if dice.chance(0.18) else darker(colour, dice.number(0, 0.06))
            left, top = column * side, row * side
            brush.fill(box(left, top, left + side - 1.5, top + side - 1.5), tile)


def _stripes(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    colour = dice.pick(palette.WALLS)
    brush.fill(box(0, 0, width, height), colour)
    wide, lean = dice.number(14, 40), dice.pick((0.0, 0.0, 140.0, -140.0))
    for step in range(-12, math.ceil(width / wide) + 12, 2):
        left = step * wide
        slab = [(left, 0), (left + wide, 0), (left + wide + lean, height), (left + lean, height)]
        brush.fill(slab, lighter(colour, 0.3))


def _lights(brush: Brush, size: Size, dice: Dice) -> None:
    width, height = size
    dusk: Colour = dice.pick(((44, 44, 72), (66, 50, 62), (34, 56, 66)))
    _gradient(brush, size, dusk, lighter(dusk, 0.25))
    for _ in range(dice.whole(25, 45)):
        radius = dice.number(6, 30)
        glow: Colour = dice.pick(((250, 208, 120), (240, 150, 110), (150, 190, 230), (214, 150, 190)))
        spot = (dice.number(0, width), dice.number(0, height))
        brush.fill(oval(spot, radius, radius), glow, dice.number(0.2, 0.55), blur=1.2)


_KINDS = {
    "studio": _studio,
    "bricks": _bricks,
    "street": _street,
    "park": _park,
    "room": _room,
    "tiles": _tiles,
    "stripes": _stripes,
    "lights": _lights,
}
KINDS = tuple(_KINDS)
