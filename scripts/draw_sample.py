"""Draw the sample data set, a small Pascal VOC folder of illustrated faces with and without masks."""

from __future__ import annotations

import argparse
from pathlib import Path

from sample.background import KINDS
from sample.dice import Dice
from sample.scene import Plan, draw_scene
from sample.voc import write_pair

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="folder to write JPEGImages/ and Annotations/ into")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="draw this one picture of the set, from 0")
    options = parser.parse_args()
    draw_set(options.root, options.count, options.seed, options.only)


if __name__ == "__main__":
    main()
