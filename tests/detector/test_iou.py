"""Overlaps worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.iou import INCLUSIVE, PLAIN, pairwise_iou


@pytest.mark.parametrize(
    ("other", "plain", "inclusive"),
    [
        pytest.param((0, 0, 10, 10), 1.0, 1.0, id="same"),
        pytest.param((5, 0, 15, 10), 50 / 150, 66 / 176, id="half across"),
        pytest.param((2, 2, 8, 8), 36 / 100, 49 / 121, id="inside"),
        pytest.param((10, 0, 20, 10), 0.0, 0.0, id="touching"),
        pytest.param((50, 50, 60, 60), 0.0, 0.0, id="apart"),
        pytest.param((20, 0, 30, 5), 0.0, 0.0, id="overlap in y only"),
        pytest.param((4, 4, 4, 4), 0.0, 0.0, id="empty box"),
    ],
)
def test_overlap_with_a_square_of_ten(other, plain, inclusive):
    square, second = (np.array([box], np.float32) for box in ((0, 0, 10, 10), other))
    assert pairwise_iou(square, second, PLAIN).item() == pytest.approx(plain)
    assert pairwise_iou(square, second, INCLUSIVE).item() == pytest.approx(inclusive)
    assert pairwise_iou(second, square, INCLUSIVE).item() == pytest.approx(inclusive)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 3), (2, 0), (2, 3)])
def test_shape(rows, columns):
    first, second = np.zeros((rows, 4), np.float32), np.ones((columns, 4), np.float32)
    assert pairwise_iou(first, second).shape == (rows, columns)
