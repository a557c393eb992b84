from __future__ import annotations

import cv2
import numpy as np
import pytest

from maskdet.drift.appearance import appearance


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (384, 320, 3), dtype=np.uint8)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("shape", [(640, 640), (64, 64), (33, 70), (416, 320)])
def test_flat_pictures_are_blurred_and_as_bright_as_they_are(value: int, shape: tuple[int, int]) -> None:
    assert appearance(np.full((*shape, 3), value, np.uint8)) == (value, 0)


def test_brightness_is_luma() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, :, 1] = 200

    assert appearance(picture).brightness == pytest.approx(0.587 * 200, abs=0.5)


def test_blur_is_the_variance_of_the_laplacian_of_an_eighth_of_the_rows(texture: np.ndarray) -> None:
    luma = cv2.cvtColor(texture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    laplacian = cv2.Laplacian(luma, cv2.CV_64F, ksize=1)
    rows = [start + row for start in range(0, 384, 128) for row in range(1, 15)]

    assert appearance(texture).blur == pytest.approx(laplacian[rows].var(), rel=1e-6)
    assert appearance(texture).blur == pytest.approx(laplacian.var(), rel=0.05)


def test_blurring_lowers_it(texture: np.ndarray) -> None:
    assert appearance(cv2.GaussianBlur(texture, (0, 0), 2)).blur < 0.01 * appearance(texture).blur
