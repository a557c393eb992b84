"""Detections as plain data, with the keys and the rounding that every output shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maskdet.types import Detections


def detection_records(found: Detections, labels: Sequence[str]) -> list[dict[str, Any]]:
    """`label`, `score` and `box` (x1, y1, x2, y2 in pixels) of each, in order.

    Scores to four places and boxes to a hundredth of a pixel: finer than either is known.
    """
    rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    return [
        {"label": labels[class_id], "score": round(score, 4), "box": [round(edge, 2) for edge in box]}
        for class_id, score, box in rows
    ]
