"""A list of detections as one .npz file, passed from the worker to its parent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maskdet.types import Detections


def write_found(path: Path, found: Sequence[Detections]) -> None:
    """Store the detections of N pictures as flat arrays and their N counts."""
    together = [Detections.empty(), *found]
    np.savez(
        path,
        boxes=np.concatenate([item.boxes for item in together]),
        scores=np.concatenate([item.scores for item in together]),
        class_ids=np.concatenate([item.class_ids for item in together]),
        counts=np.array([len(item) for item in found], np.int64),
    )


def read_found(path: Path) -> list[Detections]:
    """What `write_found` stored, in its order."""
    with np.load(path, allow_pickle=False) as stored:
        flat = Detections(stored["boxes"], stored["scores"], stored["class_ids"])
        ends = np.cumsum(stored["counts"])
    return [
        flat.select(np.arange(end - count, end))
        for end, count in zip(ends, np.diff(ends, prepend=0), strict=True)
    ]
