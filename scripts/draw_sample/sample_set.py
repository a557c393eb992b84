"""The whole set: which scenes it has, drawn one after another."""

from __future__ import annotations

from pathlib import Path

from draw_sample.background import KINDS
from draw_sample.dice import Dice
from draw_sample.scene import Plan, draw_scene
from draw_sample.voc import write_pair

COUNT = 96
_PEOPLE = (1, 2, 3, 2, 1, 3, 4, 2, 1, 3, 5, 2, 4, 2, 3, 0)
"""Number of people in each picture of a run of 16; the last has no face."""


def plans(count: int, seed: int) -> list[Plan]:
    """Every kind of background and number of people, in an order determined by the seed."""
    crowds = [_PEOPLE[number % len(_PEOPLE)] for number in range(count)]
    kinds = [KINDS[number % len(KINDS)] for number in range(count)]
    dice = Dice(seed, count)
    pairs = zip(dice.shuffled(crowds), dice.shuffled(kinds), strict=True)
    return [Plan(kind, people, number % 2 == 0) for number, (people, kind) in enumerate(pairs)]


def draw_set(root: Path, count: int, seed: int, only: int | None = None) -> None:
    """Write picture `only` (from 0), or all of them; each depends only on the seed and its own number."""
    for folder in ("JPEGImages", "Annotations"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for number, plan in enumerate(plans(count, seed)):
        if only in (None, number):
            picture, faces = draw_scene(plan, Dice(seed, count, number))
            write_pair(root, f"sample_{number:03d}", picture, faces)
