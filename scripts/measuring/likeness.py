"""How well near-duplicates are told from other pictures: misses among copies, and pairs among the originals.

    python scripts/measuring/likeness.py --data path/to/voc [--data path/to/another]

From each picture one copy of every kind of merge_rounds.py is made and compared with it; copies below
the limit are misses. Pairs of originals over the limit are listed, to be looked at.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from maskdet.dataset import likeness
from maskdet.dataset.likeness import ALIKE, alike_across, alike_pairs, perceptual_hash
from measuring.merge_rounds import COPIES, encoded


def hash_of(data: bytes) -> str:
    return perceptual_hash(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def of_pair(one: str, other: str) -> float:
    """The likeness, whatever the limit."""
    return float(next(alike_across([one], [other]))[2][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="VOC folder; repeatable")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    paths = sorted(path for folder in chosen.data for path in (folder / "JPEGImages").iterdir())
    draw = random.Random(chosen.seed)  # noqa: S311 - a reproducible draw
    found: dict[str, list[float]] = defaultdict(list)
    hashes = []
    likeness.ALIKE = -1.0
    for path in paths:
        data = encoded(Image.open(path), 92)
        hashes.append(hash_of(data))
        for how, copy in COPIES.items():
            found[how].append(of_pair(hashes[-1], hash_of(copy(data, draw))))
    likeness.ALIKE = ALIKE
    print("| copy | copies | missed | lowest likeness | 1 in 100 is below |\n|---|---:|---:|---:|---:|")
    for how, values in found.items():
        missed = sum(value < ALIKE for value in values)
        low = f"{min(values):.3f} | {np.quantile(values, 0.01):.3f}"
        print(f"| {how} | {len(values)} | {missed} | {low} |")
    started = time.process_time()
    pairs = [
        (float(value), paths[other].name, paths[index].name)
        for index, others, values in alike_pairs(hashes)
        for other, value in zip(others, values, strict=True)
    ]
    seconds, total = time.process_time() - started, len(paths) * (len(paths) - 1) // 2
    print(
        f"\n{len(pairs)} of {total} pairs of originals are alike; {seconds:.1f} s of one core to compare all"
    )
    for value, one, other in sorted(pairs):
        print(f"{value:.3f} {one} {other}")


if __name__ == "__main__":
    main()
