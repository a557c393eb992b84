"""How bright and how sharp a picture is, from the pixels that the network is given."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np

from maskdet.types import Picture

_BAND: Final = 16
_EVERY: Final = 8
"""One band of rows in so many: an eighth of the pixels tells both figures."""


class Appearance(NamedTuple):
    """brightness: mean luma (ITU-R BT.601), 0..255; blur: variance of the Laplacian of the luma, low if the
    picture is blurred (Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000).
    """

    brightness: float
    blur: float


def appearance(pixels: Picture) -> Appearance:
    """Of a picture at the size of the network input: uint8 [H, W, 3], H >= 3.

    At one fixed size, since a Laplacian grows with the size of a picture: both figures compare only within
    one model.
    """
    height, width = pixels.shape[:2]
    whole = height // (_BAND * _EVERY) * _BAND * _EVERY
    band = _BAND if whole else height
    rows = pixels[:whole].reshape(-1, _BAND * _EVERY, width, 3)[:, :_BAND] if whole else pixels
    luma = cv2.cvtColor(rows.reshape(-1, width, 3), cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_16S, ksize=1).reshape(-1, band, width)
    # The first and the last row of a band touch rows of another place.
    inner = np.ascontiguousarray(edges[:, 1:-1]).reshape(-1, width)
    _, deviation = cv2.meanStdDev(inner)
    return Appearance(float(cv2.mean(luma)[0]), float(deviation[0, 0]) ** 2)
