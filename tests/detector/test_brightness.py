from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.brightness import mean_luma


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (301, 517)])
def test_mean_luma_is_that_of_the_definition(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    expected = (picture.astype(np.float64) * [0.299, 0.587, 0.114]).sum(axis=2).mean()
    assert mean_luma(picture) == pytest.approx(expected, rel=1e-12)


def test_mean_luma_of_a_view_into_a_larger_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert mean_luma(picture[5:20, 10:33]) == mean_luma(picture[5:20, 10:33].copy())


def test_bright_large_pictures_do_not_overflow() -> None:
    white = np.broadcast_to(np.full(3, 255, np.uint8), (5000, 5000, 3))
    assert mean_luma(white) == pytest.approx(255)
