"""From a picture to the network's input: shared by serving, prediction, evaluation and parity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detector.settings import Interpolation
from maskdet.errors import PictureError
from maskdet.types import FloatArray, Picture

_FLAGS: Final = {name: flag for flag, name in enumerate(get_args(Interpolation))}


def resize(picture: Picture, input_size: tuple[int, int], interpolation: Interpolation = "cubic") -> Picture:
    """Stretch to input_size (height, width), ignoring the aspect ratio.

    Agrees to the pixel with PaddleDetection's `Resize(keep_ratio=False)`, whose `interp` 2 is cubic.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        shape = "x".join(map(str, picture.shape))
        raise PictureError(
            f"a picture is uint8 [height, width, 3], not {picture.dtype} [{shape}]",
            "decode it with maskdet first",
        )
    height, width = input_size
    resized: Picture = cv2.resize(picture, (width, height), interpolation=_FLAGS[interpolation])
    return resized


def to_batch(
    pictures: Sequence[Picture], input_size: tuple[int, int], interpolation: Interpolation = "cubic"
) -> Picture:
    """Resize pictures of any size into one array uint8 [N, height, width, 3], N >= 1."""
    return np.stack([resize(picture, input_size, interpolation) for picture in pictures])


def normalise(batch: NDArray[np.uint8], mean: Sequence[float], std: Sequence[float]) -> FloatArray:
    """uint8 [N, H, W, 3] to float32 [N, 3, H, W], (x / 255 - mean) / std, for models without it in the graph.

    The steps and their precision match PaddleDetection's `NormalizeImage` and `Permute`.
    """
    values = batch.astype(np.float32)
    values *= 1.0 / 255.0
    values -= np.asarray(mean)
    values /= np.asarray(std)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
