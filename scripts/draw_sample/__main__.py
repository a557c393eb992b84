"""Draw the sample data set, a small Pascal VOC folder of illustrated faces with and without masks.

A flat illustration style, drawn large and scaled down.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from draw_sample.sample_set import COUNT, draw_set


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
