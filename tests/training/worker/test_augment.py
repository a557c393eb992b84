"""Views, colours and pasted faces: what is taught must lie where the pixels are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskdet.training.worker.faces import Face, FaceBank, Scene
from maskdet.training.worker.picture_store import LostPictures, PictureStore

RED = (200, 30, 30)


@pytest.fixture(scope="module")
def augmented() -> dict[str, Any]:
    script = Path(__file__).with_name("augmented.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_view_moves_the_box_with_the_face(augmented: dict[str, Any]) -> None:
    off = [view["off"] for view in augmented["zoomed"] if view["off"] is not None]
    assert len(off) > 40
    assert max(off) < 2.0


def test_a_face_that_is_hardly_in_view_is_not_taught(augmented: dict[str, Any]) -> None:
    whole = [view["white"] for view in augmented["zoomed"] if view["off"] is not None]
    untaught = [view["white"] for view in augmented["zoomed"] if view["off"] is None]
    assert untaught, "no seed shows the case"
    assert max(untaught) < max(whole)


def test_whatever_is_in_view_of_a_difficult_face_stays_marked(augmented: dict[str, Any]) -> None:
    views = [view for view in augmented["difficult"] if view["white"]]
    assert all(view["off"] is not None for view in views)
    assert min(view["white"] for view in views) < 200, "no seed shows a part"


def test_a_view_is_not_cut_around_a_difficult_face(augmented: dict[str, Any]) -> None:
    seen = [sum(view["white"] > 0 for view in augmented[name]) for name in ("zoomed", "difficult")]
    assert seen[0] > seen[1]


def test_colour_and_camera_leave_boxes_and_shape(augmented: dict[str, Any]) -> None:
    assert all(one["same_box"] and one["same_shape"] for one in augmented["coloured"])
    moved = [one["moved"] for one in augmented["coloured"]]
    assert len({round(value, 3) for value in moved}) > 50, "each seed gives another picture"
    assert max(moved) < 100
    assert all(one["face_is_lighter"] for one in augmented["coloured"])


@pytest.fixture
def donor(tmp_path: Path) -> Path:
    """A grey picture with a red face at 40, 30 to 80, 90."""
    image = np.full((120, 120, 3), 128, np.uint8)
    image[30:90, 40:80] = RED
    path = tmp_path / "donor.png"
    cv2.imwrite(str(path), image[..., ::-1])
    return path


def make_face(path: Path, class_id: int = 1, side: float = 60, weight: float = 1) -> Face:
    return Face(path, np.array([40, 30, 80, 30 + side], np.float32), class_id, weight)


def make_bank(faces: list[Face], lost: LostPictures | None = None) -> FaceBank:
    return FaceBank(faces, PictureStore(2**20), lost or LostPictures(10, lambda event, **fields: None))


@pytest.mark.parametrize("seed", range(20))
def test_a_pasted_face_lies_in_its_box_and_touches_no_other(donor: Path, seed: int) -> None:
    np.random.seed(seed)
    taken = np.array([[20, 20, 60, 80], [150, 100, 190, 160]], np.float32)
    scene = Scene(np.full((240, 320, 3), 60, np.uint8), taken)
    picture = make_bank([]).picture_of(make_face(donor))
    assert picture is not None
    box = scene.paste(make_face(donor), picture)
    assert box is not None
    assert len(scene.boxes) == 3
    x, y = ((box[:2] + box[2:]) / 2).astype(int)
    assert np.abs(scene.image[y, x].astype(int) - RED).max() < 12
    for other in taken:
        assert (box[:2] >= other[2:]).any() or (box[2:] <= other[:2]).any()
    red = np.abs(scene.image.astype(int) - RED).max(axis=2) < 12
    rows, columns = np.nonzero(red)
    inside = (columns >= box[0] - 1) & (columns <= box[2] + 1) & (rows >= box[1] - 1) & (rows <= box[3] + 1)
    assert inside.all()


def test_a_full_picture_gets_no_face(donor: Path) -> None:
    everywhere = np.array([[0, 0, 320, 240]], np.float32)
    scene = Scene(np.zeros((240, 320, 3), np.uint8), everywhere)
    picture = make_bank([]).picture_of(make_face(donor))
    assert picture is not None
    assert scene.paste(make_face(donor), picture) is None
    assert not scene.image.any()


def test_a_class_is_drawn_as_often_as_the_root_of_its_count(donor: Path) -> None:
    np.random.seed(0)
    bank = make_bank([make_face(donor, 0)] * 100 + [make_face(donor, 1)] * 4)
    drawn = [face.class_id for face in (bank.draw() for _ in range(3000)) if face is not None]
    assert len(drawn) == 3000
    assert np.mean(drawn) == pytest.approx(2 / 12, abs=0.02)


def test_faces_are_drawn_as_often_as_their_root_weighs(donor: Path) -> None:
    """The weights make 20 of 40 faces and 80 of 80: 1 in 3 is of class 0, and of class 1 1 in 5 is light."""
    np.random.seed(0)
    faces = [make_face(donor, 0, weight=0.5)] * 40
    faces += [make_face(donor, 1, weight=0.25)] * 64 + [make_face(donor, 1, weight=4)] * 16
    bank = make_bank(faces)
    drawn = [face for face in (bank.draw() for _ in range(3000)) if face is not None]
    assert np.mean([face.class_id == 0 for face in drawn]) == pytest.approx(1 / 3, abs=0.03)
    light = [face.weight < 1 for face in drawn if face.class_id == 1]
    assert np.mean(light) == pytest.approx(1 / 5, abs=0.03)


def test_small_faces_are_left_out_and_an_empty_bank_gives_none(donor: Path) -> None:
    assert make_bank([make_face(donor, side=8)]).draw() is None


def test_a_picture_that_is_gone_is_named_and_not_pasted(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    bank = make_bank([], LostPictures(10, lambda event, **fields: told.append(fields)))
    assert bank.picture_of(make_face(tmp_path / "gone.jpg")) is None
    assert "gone.jpg" in str(told)
