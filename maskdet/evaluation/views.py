"""Data of a val picture other than its faces, and the size of a face for the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskdet.types import FloatArray


@dataclass(frozen=True, slots=True)
class View:
    """One picture. `path` is its name in the data set, `size` (height, width) in pixels after its EXIF turn,
    `luma` its mean brightness, 0..255, `collection` the name of its root, "" in a data set of one root,
    `group` a name that near-duplicates share, "" for a picture that has none.
    """

    path: str
    size: tuple[int, int]
    luma: float
    collection: str = ""
    group: str = ""


def network_widths(boxes: FloatArray, view: View, input_size: tuple[int, int]) -> FloatArray:
    """Widths [N] in pixels of boxes [N, 4] after the resize to the network input (height, width)."""
    widths: FloatArray = (boxes[:, 2] - boxes[:, 0]) * np.float32(input_size[1] / view.size[1])
    return widths
