"""Write tests/detector/rule_scenes.json.gz: random scenes, with the results of answer.py and verdict.py.

    .venv/bin/python scripts/write_rule_scenes.py

The tests check both the server's rule and the web page's against this one file. A scene is
`[thresholds, band, violations, unknown, rows, kept, outcome]`: thresholds by class id; class ids that break
the rule, and those without a role; a row `[class id, score, x1, y1, x2, y2]`; and kept, the rows of the
answer.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np

from maskdet.detector.answer import answer
from maskdet.detector.verdict import MaskRule
from maskdet.types import Detections
from maskdet.wording.lexicon import Role

TARGET = Path(__file__).resolve().parents[1] / "tests" / "detector" / "rule_scenes.json.gz"
COUNT = 4000
LABELS = ("a", "b", "c")
Row = list[float]
Value = TypeVar("Value")
Scene = tuple[list[float], float, list[int], list[int], list[Row], list[int], str]
ROLES: tuple[Role | None, ...] = ("masked", "bare", "masked", "worn-wrong", None)


def scenes(count: int = COUNT, seed: int = 20) -> Iterator[Scene]:
    """The scenes, each with the rule's result."""
    dice = Random(seed)  # noqa: S311
    for _ in range(count):
        equal = dice.random() < 0.3
        thresholds = [_threshold(dice)] * 3 if equal else [_threshold(dice) for _ in LABELS]
        band = _one_of(dice, 0.0, 0.05, 0.07, 0.1, 0.3)
        roles = {label: role for label in LABELS if (role := _one_of(dice, *ROLES)) is not None}
        rule = MaskRule.of(LABELS, roles, None, band)
        rows = sorted(_rows(dice, thresholds, band), key=lambda row: -np.float32(row[1]))
        yield (
            thresholds,
            band,
            _ids(rule.violations),
            _ids(rule.unknown),
            rows,
            *_said(rule, thresholds, rows),
        )


def _ids(labels: frozenset[str]) -> list[int]:
    return [class_id for class_id, label in enumerate(LABELS) if label in labels]


def _said(rule: MaskRule, thresholds: list[float], rows: list[Row]) -> tuple[list[int], str]:
    table = np.array(rows, np.float64).reshape(-1, 6)
    candidates = Detections(
        table[:, 2:].astype(np.float32), table[:, 1].astype(np.float32), table[:, 0].astype(np.int64)
    )
    limits = np.array(thresholds, np.float32)
    sure = answer(candidates, limits)
    return _places(sure, candidates), rule.judge(candidates, sure, limits).outcome


def _places(some: Detections, among: Detections) -> list[int]:
    """Rows of `among` that make up `some`; of equal rows the first."""
    keys = [_key(among, row) for row in range(len(among))]
    return [keys.index(_key(some, row)) for row in range(len(some))]


def _key(found: Detections, row: int) -> tuple[bytes, float, int]:
    return found.boxes[row].tobytes(), float(found.scores[row]), int(found.class_ids[row])


def _rows(dice: Random, thresholds: list[float], band: float) -> Iterator[Row]:
    for _ in range(int(dice.random() * 5)):
        x, y = (_one_of(dice, 0, 40, 80.5, 13.37) for _ in range(2))
        side = 20 + int(dice.random() * 30)
        for _ in range(1 + int(dice.random() * 3)):
            class_id = int(dice.random() * 3)
            score = _score(dice, thresholds[class_id], band)
            yield [class_id, score, *_box(dice, x, y, side)]


def _box(dice: Random, x: float, y: float, side: int) -> list[float]:
    """Near a face: unchanged, moved by a third of its side (an IoU of exactly one half), or a little off."""
    kind = dice.random()
    if kind < 0.2:
        return [x, y, x + side, y + side]
    if kind < 0.4:
        return [x + 10, y, x + 40, y + 30] if dice.random() < 0.5 else [x, y, x + 30, y + 30]
    off = [round((dice.random() - 0.5) * side * 0.8, 2) for _ in range(4)]
    x1, y1 = round(x + off[0], 2), round(y + off[1], 2)
    return [x1, y1, round(x1 + side + off[2], 2), round(y1 + side + off[3], 2)]


def _score(dice: Random, threshold: float, band: float) -> float:
    """Any, or one on an edge: of the threshold, of the band below it, or of a tie."""
    edges = (
        threshold,
        round(threshold - band, 4),
        round(threshold - 0.0001, 4),
        round(threshold * 1.5, 4),
        0.9,
    )
    score = _one_of(dice, *edges) if dice.random() < 0.4 else round(dice.random(), 4)
    return min(1.0, max(0.01, score))


def _threshold(dice: Random) -> float:
    return _one_of(dice, 0.5, 0.4, 0.35, 0.3, round(dice.random(), 2), round(dice.random(), 4), 0.0, 1.0)


def _one_of(dice: Random, *values: Value) -> Value:
    # Not choice(): only the numbers of random() are the same in every version of Python.
    return values[int(dice.random() * len(values))]


def main() -> None:
    text = json.dumps(list(scenes()), separators=(",", ":"))
    # Without a timestamp the same scenes are the same file.
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"wrote {TARGET}: {COUNT} scenes, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
