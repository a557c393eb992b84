from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from support import LABELS

from maskdet.detector import fonts
from maskdet.detector.captions import class_colour, place_captions
from maskdet.detector.draw import draw
from maskdet.detector.outline import line_width
from maskdet.detector.placement import whole_pixels
from maskdet.types import BoolArray, Detections, FloatArray

GROUND = (96, 60, 200)
"""A colour of nothing that is drawn. It stays what it is when a picture is enlarged."""
OWN = 0.08
"""Share of its own face that a caption may hide where there is no room beside it."""


def found(*boxes: tuple[float, ...], classes: tuple[int, ...] | None = None) -> Detections:
    scores = np.linspace(0.93, 0.5, len(boxes)).astype(np.float32)
    ids = np.array(classes or [0] * len(boxes), np.int64)
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, ids)


def overlap(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(0, wide) * max(0, high)


def crowd(seed: int) -> tuple[tuple[int, int], Detections]:
    """A picture's size and up to 70 faces of up to half of it; many overlap."""
    dice = np.random.default_rng(seed)
    height, width = (int(side) for side in dice.integers((100, 130), (900, 1200)))
    largest = min(height, width) * dice.choice([0.06, 0.15, 0.5])
    count = int(dice.choice([3, 12, 70]))
    sides = dice.uniform(6, max(8, largest), (count, 2))
    corners = dice.uniform(0, 1, (count, 2)) * ((width, height) - sides)
    boxes = np.concatenate([corners, corners + sides], axis=1)
    return (height, width), found(*boxes.tolist(), classes=tuple(dice.integers(0, 3, count).tolist()))


def test_a_crowd_with_room_has_captions() -> None:
    placed = []
    for seed in (4, 5, 8, 18, 19, 28):
        size, faces = crowd(seed)
        placed.append(len(place_captions(faces, LABELS, size).plates))
    assert placed == [11, 69, 69, 70, 59, 69]


@pytest.mark.parametrize("seed", range(40))
def test_captions_hide_no_other_face_and_little_of_their_own(seed: int) -> None:
    size, faces = crowd(seed)
    boxes = [tuple(box) for box in whole_pixels(faces.boxes).tolist()]

    plates = place_captions(faces, LABELS, size).plates

    # A crowd may be too dense for any caption; of few faces each has one.
    assert len(plates) == len(faces) or len(faces) > 3
    for plate in plates:
        x1, y1, x2, y2 = plate.rectangle
        assert 0 <= x1 < x2 <= size[1]
        assert 0 <= y1 < y2 <= size[0]
        hidden = [overlap(plate.rectangle, box) for box in boxes]
        assert hidden.pop(plate.row) <= OWN * overlap(boxes[plate.row], boxes[plate.row])
        assert not any(hidden)
    assert not any(overlap(a.rectangle, b.rectangle) for n, a in enumerate(plates) for b in plates[n + 1 :])


@pytest.mark.parametrize("keep_size", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_no_pixel_of_a_caption_or_legend_lies_on_a_face(seed: int, keep_size: bool) -> None:
    """Only outlines cross faces, and a large face without room beside it bears its own caption."""
    size, faces = crowd(seed)

    drawn = draw(np.full((*size, 3), GROUND, np.uint8), faces, LABELS, keep_size=keep_size)

    zoom = 1 if drawn.shape[1] == size[1] else min(4, 1600 / max(size))
    height, width = (round(side * zoom) for side in size)
    boxes = faces.boxes * np.array([width / size[1], height / size[0]] * 2, np.float32)
    faces_at, outlined = coverage(boxes, (height, width))
    drawn = drawn[:height]
    painted = (drawn != GROUND).any(axis=2) & ~outlined
    assert not (painted & (faces_at > 1)).any()
    for x1, y1, x2, y2 in np.rint(boxes).astype(np.int64).tolist():
        assert painted[y1:y2, x1:x2].mean() <= OWN


def coverage(boxes: FloatArray, size: tuple[int, int]) -> tuple[NDArray[np.int64], BoolArray]:
    """[H, W] how many boxes hold each pixel, and whether an outline lies there."""
    count, outlined = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    for box in np.rint(boxes).astype(np.int64):
        x1, y1, x2, y2 = box.tolist()
        count[y1:y2, x1:x2] += 1
        line = line_width(box, size)
        within = np.ones((y2 - y1, x2 - x1), np.bool_)
        within[line:-line, line:-line] = False
        outlined[y1:y2, x1:x2] |= within
    return count, outlined


def test_no_detection_leaves_the_picture_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    assert np.array_equal(draw(picture, Detections.empty(), LABELS), picture)


def test_the_box_is_drawn_on_its_edge_pixels_of_a_copy() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    drawn = draw(picture, found((50, 60, 120, 140)), LABELS)
    green = class_colour(LABELS, 0)
    assert not picture.any()
    assert (drawn[100, 50] == green).all()
    assert (drawn[100, 119] == green).all()
    assert (drawn[139, 90] == green).all()
    assert not drawn[100, 120].any()
    assert not drawn[100, 90].any()


@pytest.mark.parametrize("class_id", range(3))
def test_each_class_has_its_colour_and_a_readable_caption(class_id: int) -> None:
    drawn = draw(np.zeros((400, 600, 3), np.uint8), found((200, 200, 300, 300), classes=(class_id,)), LABELS)
    plate = drawn[150:199]
    colours, counts = np.unique(plate.reshape(-1, 3), axis=0, return_counts=True)
    common = {tuple(colour) for colour, count in zip(colours.tolist(), counts, strict=True) if count > 20}
    assert class_colour(LABELS, class_id) in common
    assert common & {(255, 255, 255), (0, 0, 0)}


def test_classes_differ_without_their_colours() -> None:
    """A whole line, and patterns whose gaps are as light or dark as the line is not."""
    shares = []
    for class_id in range(3):
        face = found((200, 150, 400, 350), classes=(class_id,))
        edge = draw(np.full((400, 600, 3), GROUND, np.uint8), face, LABELS)[150:350, 200]
        in_colour = (edge == class_colour(LABELS, class_id)).all(axis=1)
        shares.append(float(in_colour.mean()))
        assert len(np.unique(edge[~in_colour], axis=0)) == min(class_id, 1)
    assert shares[0] == 1
    assert shares[1] - shares[2] > 0.05
    assert shares[2] > 0.4


def test_the_three_classes_are_green_red_and_amber() -> None:
    with_mask, without, incorrect = (class_colour(LABELS, class_id) for class_id in range(3))
    assert with_mask[1] > 2 * max(with_mask[0], with_mask[2])
    assert without[0] > 2 * max(without[1:])
    assert incorrect[0] > incorrect[1] > incorrect[2] + 100


def test_other_classes_differ() -> None:
    labels = [f"class{n}" for n in range(6)]
    assert len({class_colour(labels, n) for n in range(6)}) == 6


@pytest.mark.parametrize("size", [(200, 260), (400, 400), (2400, 4000)])
@pytest.mark.parametrize("place", [(0.1, 0.1, 0.2, 0.2), (0.8, 0.8, 1, 1), (0, 0, 1, 1), (0.9, 0, 1, 0.1)])
def test_a_lone_face_is_named_wherever_it_is(size: tuple[int, int], place: tuple[float, ...]) -> None:
    height, width = size
    box = (place[0] * width, place[1] * height, place[2] * width, place[3] * height)

    captions = place_captions(found(box), LABELS, size)

    assert captions.named
    assert [plate.text for plate in captions.plates] == ["with_mask 0.93"]


def test_letters_grow_with_the_picture() -> None:
    heights = []
    for side in (200, 1200, 4000):
        box = tuple(side * share for share in (0.4, 0.4, 0.6, 0.6))
        heights.append(place_captions(found(box), LABELS, (side, side)).plates[0].size[1])
    assert heights[0] >= 11
    assert heights[0] < heights[1] < heights[2]


def few() -> Detections:
    return found((40, 40, 70, 75), (200, 50, 230, 90), classes=(0, 1))


def many() -> Detections:
    boxes = [
        (20.0 + 24 * n, 60.0 + 40 * m, 36.0 + 24 * n, 80.0 + 40 * m) for n in range(14) for m in range(4)
    ]
    return found(*boxes, classes=tuple(n % 2 for n in range(len(boxes))))


def test_a_picture_with_room_stays_as_large_as_it_is() -> None:
    assert draw(np.zeros((300, 400, 3), np.uint8), few(), LABELS).shape == (300, 400, 3)


def test_a_crowded_picture_is_enlarged_and_gets_a_legend_below() -> None:
    drawn = draw(np.full((300, 400, 3), GROUND, np.uint8), many(), LABELS)

    assert drawn.shape[1] == 1600
    assert 1200 < drawn.shape[0] < 1300
    strip = drawn[1200:]
    assert not (strip == GROUND).all(axis=2).any()
    for class_id in (0, 1):
        assert (strip == class_colour(LABELS, class_id)).all(axis=2).sum() > 50


def test_a_large_crowded_picture_keeps_its_size_above_the_legend() -> None:
    faces = Detections(many().boxes * np.float32(5), many().scores, many().class_ids)
    drawn = draw(np.full((1500, 2000, 3), GROUND, np.uint8), faces, LABELS)
    assert drawn.shape[1] == 2000
    assert 1500 < drawn.shape[0] < 1600


def test_the_size_can_be_kept() -> None:
    drawn = draw(np.full((300, 400, 3), GROUND, np.uint8), many(), LABELS, keep_size=True)
    assert drawn.shape == (300, 400, 3)
    # The legend has found room below the faces.
    assert (drawn[240:] != GROUND).any()


@pytest.mark.parametrize("box", [(-5, -5, 3, 3), (10, 10, 10.2, 10.2), (0, 0, 1, 1), (19, 19, 20, 20)])
def test_tiny_pictures_and_boxes(box: tuple[float, ...]) -> None:
    for side in (1, 20):
        picture = np.zeros((side, side, 3), np.uint8)
        assert draw(picture, found(box), LABELS, keep_size=True).shape == picture.shape
        assert draw(picture, found(box), LABELS).shape == (4 * side, 4 * side, 3)


def test_chinese_labels_are_written_or_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    detections = found((100, 100, 200, 200), classes=(1,))
    plate = place_captions(detections, ["未戴口罩", "戴口罩"], (400, 400)).plates[0]
    assert plate.text == ("戴口罩 0.93" if fonts.find_font("戴", 20) else "class 1 0.93")
    monkeypatch.setattr(fonts, "_cjk", lambda size: None)
    plate = place_captions(detections, ["未戴口罩", "戴口罩"], (400, 400)).plates[0]
    assert plate.text == "class 1 0.93"
