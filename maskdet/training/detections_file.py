"""Detections and brightness of pictures, as one .npz file from the worker to its parent."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from maskdet.types import Detections


def packed(found: Sequence[Detections]) -> bytes:
    """The detections of N pictures for another worker; no pickle."""
    stream = BytesIO()
    write_found(stream, found, [0.0] * len(found))
    return stream.getvalue()


def unpacked(data: bytes) -> list[Detections]:
    """What `packed` stored, in the same order."""
    return read_found(BytesIO(data))[0]


def write_found(path: Path | BytesIO, found: Sequence[Detections], lumas: Sequence[float]) -> None:
    """Store the detections of N pictures as flat arrays and their N counts; and N mean lumas, 0..255."""
    together = [Detections.empty(), *found]
    np.savez(
        path,
        boxes=np.concatenate([item.boxes for item in together]),
        scores=np.concatenate([item.scores for item in together]),
        class_ids=np.concatenate([item.class_ids for item in together]),
        counts=np.array([len(item) for item in found], np.int64),
        lumas=np.array(lumas, np.float64),
    )


def read_found(path: Path | BytesIO) -> tuple[list[Detections], list[float]]:
    """What `write_found` stored, in the same order."""
    with np.load(path, allow_pickle=False) as stored:
        flat = Detections(stored["boxes"], stored["scores"], stored["class_ids"])
        ends, lumas = np.cumsum(stored["counts"]), stored["lumas"].tolist()
    found = [
        flat.select(np.arange(end - count, end))
        for end, count in zip(ends, np.diff(ends, prepend=0), strict=True)
    ]
    return found, lumas
