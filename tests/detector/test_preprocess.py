from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.preprocess import normalise, resize, to_batch
from maskdet.errors import PictureError


def test_resize_stretches_to_height_and_width() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    picture[:, 10:] = 200
    resized = resize(picture, (40, 60))
    assert resized.shape == (40, 60, 3)
    assert resized.dtype == np.uint8
    assert (resized[:, :25] < 30).all()
    assert (resized[:, 35:] > 170).all()


def test_resize_at_the_same_size_changes_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    assert np.array_equal(resize(picture, (32, 48)), picture)


def test_resize_takes_views() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    view = picture[:, ::-1]
    assert np.array_equal(resize(view, (16, 16)), resize(view.copy(), (16, 16)))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_what_is_no_picture_is_refused(array: np.ndarray) -> None:
    with pytest.raises(PictureError, match=r"a picture is uint8 \[height, width, 3\]"):
        resize(array, (8, 8))


def test_a_batch_takes_pictures_of_any_size() -> None:
    pictures = [np.full((h, w, 3), 9, np.uint8) for h, w in ((1, 1), (50, 3), (3, 50))]
    batch = to_batch(pictures, (16, 24))
    assert batch.shape == (3, 16, 24, 3)
    assert (batch == 9).all()


def test_normalise_is_channels_first_and_exact_at_the_ends() -> None:
    batch = np.zeros((2, 3, 5, 3), np.uint8)
    batch[1] = 255
    values = normalise(batch, (0.5, 0.0, 0.25), (0.5, 1.0, 0.25))
    assert values.shape == (2, 3, 3, 5)
    assert np.allclose(values[0], np.array([-1.0, 0.0, -1.0])[:, None, None])
    assert np.allclose(values[1], np.array([1.0, 1.0, 3.0])[:, None, None])
    assert (batch[0] == 0).all()
