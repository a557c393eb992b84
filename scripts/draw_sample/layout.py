"""Where the heads go: no face may be hidden by another person or cross the edge of the picture."""

from __future__ import annotations

from dataclasses import dataclass

from draw_sample.dice import Dice

# In units of half a head's height, measured from the head's centre, generous enough for hair and hats.
_SIDE, _ABOVE, _BELOW = 0.92, 1.05, 1.1
_SHOULDER = 1.4


@dataclass(frozen=True)
class Place:
    """The centre of a head and half its height, in pixels of the finished picture."""

    x: float
    y: float
    half: float


def deal_places(dice: Dice, size: tuple[int, int], count: int) -> list[Place]:
    """At most `count` places, far (small) to near (large): fewer if they do not fit."""
    halves = sorted((_half(dice, count) for _ in range(count)), reverse=True)
    places: list[Place] = []
    for half in halves:
        place = _free_place(dice, size, half, places)
        if place is not None:
            places.append(place)
    return sorted(places, key=lambda place: place.half)


def _half(dice: Dice, count: int) -> float:
    if count > 1 and dice.chance(0.1):
        return dice.number(15, 22)
    largest = {1: 96, 2: 80, 3: 64, 4: 52, 5: 46}[count]
    return dice.number(27 if count > 2 else 38, largest)


def _free_place(dice: Dice, size: tuple[int, int], half: float, taken: list[Place]) -> Place | None:
    width, height = size
    for _ in range(300):
        place = Place(
            dice.number(_SIDE * half + 4, width - _SIDE * half - 4),
            dice.number(_ABOVE * half + 4, height - _BELOW * half - 4),
            half,
        )
        if not any(_hides(near, place) or _hides(place, near) for near in taken):
            return place
    return None


def _hides(near: Place, far: Place) -> bool:
    """Whether the nearer person, head or body, would cover part of the other's face."""
    across = abs(near.x - far.x)
    heads = across < 1.15 * (near.half + far.half) * _SIDE and abs(near.y - far.y) < 1.2 * (
        near.half + far.half
    )
    nearer = (near.half, near.y) >= (far.half, far.y)
    below = far.y + _BELOW * far.half > near.y + near.half
    body = nearer and below and across < _SHOULDER * near.half + _SIDE * far.half
    return heads or body
