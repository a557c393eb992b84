from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import save
from support import LABELS, cell_box, paint, write_tiny_bundle

from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.picture import DecodedPicture, read_reduced
from maskdet.training.detections_file import read_found, write_found
from maskdet.training.worker.inference import detect
from maskdet.training.worker.picture_store import PictureStore


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx"))


@pytest.mark.parametrize("threads", [1, 4])
def test_detections_come_in_the_order_of_the_pictures(bundle: Bundle, tmp_path: Path, threads: int) -> None:
    paths = [tmp_path / f"{number:03}.png" for number in range(30)]
    for number, path in enumerate(paths):
        save(path, paint({(number % 8, number // 8): LABELS[number % 3]}))
    steps: list[int] = []
    found = detect(
        bundle.session,
        paths,
        partial(read_reduced, at_least=(64, 64)),
        input_size=(64, 64),
        batch_size=4,
        threads=threads,
        on_done=steps.append,
    )
    assert steps == [4, 8, 12, 16, 20, 24, 28, 30]
    for number, each in enumerate(found):
        assert each.class_ids.tolist() == [number % 3]
        np.testing.assert_allclose(each.boxes[0], cell_box(number % 8, number // 8))


def test_validation_reads_large_photographs_as_serving_does(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(cv2.imencode(".jpg", paint({(2, 5): LABELS[2]}, 640, 960)[:, :, ::-1])[1].tobytes())
    store = PictureStore(2**20)

    def read(at: Path) -> DecodedPicture:
        return store.read_reduced(at, (64, 64))

    (found,) = detect(bundle.session, [path], read, input_size=(64, 64), batch_size=8)
    np.testing.assert_allclose(found.boxes[0], cell_box(2, 5, 640, 960))
    assert read(path).pixels.shape == (80, 120, 3)
    assert store.read(path).shape == (640, 960, 3)


def test_what_is_kept_is_kept_once_for_each_size(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(cv2.imencode(".jpg", np.zeros((640, 960, 3), np.uint8))[1].tobytes())
    store = PictureStore(80 * 120 * 3)
    assert store.read_reduced(path, (64, 64)) is store.read_reduced(path, (64, 64))
    assert store.read(path) is not store.read(path)


def test_brightness_travels_with_the_detections(bundle: Bundle, tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    save(picture, paint({(1, 1): LABELS[0]}))
    found = detect(
        bundle.session, [picture], partial(read_reduced, at_least=None), input_size=(64, 64), batch_size=1
    )
    write_found(tmp_path / "found.npz", found, [12.5])
    again, lumas = read_found(tmp_path / "found.npz")
    assert lumas == [12.5]
    np.testing.assert_array_equal(again[0].boxes, found[0].boxes)
