from __future__ import annotations

import numpy as np
import pytest
from support import LABELS

from maskdet.detector import fonts
from maskdet.detector.captions import class_colour, place_captions
from maskdet.detector.draw import draw
from maskdet.types import Detections


def found(*boxes: tuple[float, ...], classes: tuple[int, ...] | None = None) -> Detections:
    scores = np.linspace(0.93, 0.5, len(boxes)).astype(np.float32)
    ids = np.array(classes or [0] * len(boxes), np.int64)
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, ids)


def overlap(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(0, wide) * max(0, high)


def rectangles(detections: Detections, size: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    plates = place_captions(detections, LABELS, size)
    return [(*p.corner, p.corner[0] + p.size[0], p.corner[1] + p.size[1]) for p in plates]


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


def test_the_three_classes_are_green_red_and_amber() -> None:
    with_mask, without, incorrect = (class_colour(LABELS, class_id) for class_id in range(3))
    assert with_mask[1] > 2 * max(with_mask[0], with_mask[2])
    assert without[0] > 2 * max(without[1:])
    assert incorrect[0] > incorrect[1] > incorrect[2] + 100


def test_other_classes_differ() -> None:
    labels = [f"class{n}" for n in range(6)]
    assert len({class_colour(labels, n) for n in range(6)}) == 6


@pytest.mark.parametrize("size", [(200, 260), (400, 400), (2400, 4000)])
@pytest.mark.parametrize("place", [(0, 0, 0.1, 0.1), (0.9, 0.9, 1, 1), (0, 0, 1, 1), (0.95, 0, 1, 0.02)])
def test_plates_stay_inside_the_picture(size: tuple[int, int], place: tuple[float, ...]) -> None:
    height, width = size
    box = (place[0] * width, place[1] * height, place[2] * width, place[3] * height)
    for class_id in range(3):
        (x1, y1, x2, y2) = rectangles(found(box, classes=(class_id,)), size)[0]
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height


def test_letters_grow_with_the_picture() -> None:
    heights = []
    for side in (200, 800, 4000):
        box = tuple(side * share for share in (0.4, 0.4, 0.6, 0.6))
        _, y1, _, y2 = rectangles(found(box), (side, side))[0]
        heights.append(y2 - y1)
    assert heights[0] >= 11
    assert heights[0] < heights[1] < heights[2]


def test_captions_of_neighbours_do_not_hide_each_other() -> None:
    boxes = [(100 + 60 * n, 200, 150 + 60 * n, 260) for n in range(6)]
    plates = rectangles(found(*boxes), (600, 800))
    hidden = [overlap(a, b) for n, a in enumerate(plates) for b in plates[n + 1 :]]
    assert sum(hidden) == 0


@pytest.mark.parametrize("box", [(-5, -5, 3, 3), (10, 10, 10.2, 10.2), (0, 0, 1, 1), (19, 19, 20, 20)])
def test_tiny_pictures_and_boxes(box: tuple[float, ...]) -> None:
    assert draw(np.zeros((20, 20, 3), np.uint8), found(box), LABELS).shape == (20, 20, 3)
    assert draw(np.zeros((1, 1, 3), np.uint8), found(box), LABELS).shape == (1, 1, 3)


def test_chinese_labels_are_written_or_numbered(monkeypatch: pytest.MonkeyPatch) -> None:
    detections = found((100, 100, 200, 200), classes=(1,))
    plate = place_captions(detections, ["未戴口罩", "戴口罩"], (400, 400))[0]
    assert plate.text == ("戴口罩 0.93" if fonts.find_font("戴", 20) else "class 1 0.93")
    monkeypatch.setattr(fonts, "_cjk", lambda size: None)
    plate = place_captions(detections, ["未戴口罩", "戴口罩"], (400, 400))[0]
    assert plate.text == "class 1 0.93"
