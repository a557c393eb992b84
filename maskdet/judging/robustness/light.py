"""Corruptions that change pixels and move nothing: blur, light, noise, compression, resolution, colour, fog.

Lengths are shares of the picture's longer side, so that a strength means the same at any resolution.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.types import Picture

_GAMMA: Final = 2.2
_FOG: Final = 225.0
"""Brightness of fog."""
_FOG_CELLS: Final = 5
"""Cells a side of the random field that makes fog uneven."""


def motion_blur(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """Moved by `share` of the longer side during the exposure, in a random direction."""
    length = max(2.0, share * max(picture.shape[:2]))
    side = 2 * int(np.ceil(length / 2)) + 1
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    steps = np.linspace(-1, 1, 4 * side)[:, None] * reach + side // 2
    columns, rows = np.rint(steps).astype(int).T
    kernel = np.zeros((side, side))
    np.add.at(kernel, (rows, columns), 1 / len(steps))
    return _bytes(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE))


def focus_blur(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """Gaussian blur with a standard deviation of `share` of the longer side."""
    del rng
    return _bytes(cv2.GaussianBlur(picture, (0, 0), share * max(picture.shape[:2])))


def exposure(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """`factor` times the light: darker below 1; above, bright parts burn out."""
    del rng
    return _bytes(picture.astype(np.float32) * factor ** (1 / _GAMMA))


def noise(picture: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    """Gaussian noise of this standard deviation, of 255, in every pixel and channel."""
    return _bytes(picture + rng.normal(0, deviation, picture.shape))


def jpeg(picture: Picture, quality: float, rng: np.random.Generator) -> Picture:
    """Compressed once more at this JPEG quality."""
    del rng
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    if decoded is None:
        raise RuntimeError(f"OpenCV cannot compress a picture of {picture.shape}")
    return _bytes(decoded[..., ::-1])


def resolution(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """Resized to 1/`factor` of its sides and back."""
    del rng
    height, width = picture.shape[:2]
    few = max(1, round(width / factor)), max(1, round(height / factor))
    small = cv2.resize(picture, few, interpolation=cv2.INTER_AREA)
    return _bytes(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def greyness(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """`share` of the colour taken away; 1 leaves grey."""
    del rng
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return _bytes(picture + share * (grey - picture))


def fog(picture: Picture, density: float, rng: np.random.Generator) -> Picture:
    """Covered by uneven fog that hides `density` of the contrast on average."""
    height, width = picture.shape[:2]
    field = rng.uniform(0.6, 1.4, (_FOG_CELLS, _FOG_CELLS)).astype(np.float32)
    even = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    cover = np.clip(density * even, 0, 1)[..., None]
    return _bytes(picture + cover * (_FOG - picture.astype(np.float32)))


def _bytes(values: NDArray[np.generic]) -> Picture:
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))
