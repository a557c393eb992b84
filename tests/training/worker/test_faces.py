"""Pasting faces must not fill the memory that train.cache_mb is to bound."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np

from maskdet.training.worker.faces import Face, Scene

PICTURE = np.full((1200, 1200, 3), 128, np.uint8)


def paste(number: int) -> bool:
    """Paste a face of a size of its own, a tenth to a quarter of the scene's side."""
    box = np.array([0, 0, 300 + number, 200 + 2 * number], np.float32)
    own = np.array([[0, 0, 150, 150]], np.float32)
    return Scene(PICTURE, own).paste(Face(Path("a.jpg"), box, 0), PICTURE) is not None


def test_faces_of_many_sizes_leave_no_memory_behind() -> None:
    np.random.seed(1)
    paste(0)
    tracemalloc.start()
    try:
        pasted = sum(paste(number) for number in range(1, 60))
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert pasted > 30
    assert left < 2**20
