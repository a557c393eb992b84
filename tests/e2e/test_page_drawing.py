"""What the page draws on a canvas, pixel by pixel: nothing but outlines lies on a face."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from support import LABELS

from maskdet.detector.captions import class_colour
from maskdet.detector.outline import class_line
from maskdet.types import Picture

GROUND = (96, 60, 200)
"""A colour of nothing that is drawn."""
OWN = 0.08
"""Share of its own face that a caption may hide where there is no room beside it."""
DRAW = """async ([crowds, model, ground, ratio, choose]) => {
    const { drawFaces } = await import("/web/js/draw.js");
    return crowds.map(({ width, height, faces }) => {
        const flat = new OffscreenCanvas(8, 8);
        const context = flat.getContext("2d");
        context.fillStyle = `rgb(${ground})`;
        context.fillRect(0, 0, 8, 8);
        const canvas = document.createElement("canvas");
        Object.assign(canvas, { width: width * ratio, height: height * ratio });
        const chosen = choose ? faces.at(-1) : null;
        const named = drawFaces(canvas, flat, faces, { size: { width, height }, ratio, model, chosen });
        return [named, canvas.toDataURL("image/png")];
    });
}"""
Crowd = dict[str, Any]


def pixels(address: str) -> Picture:
    data = np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8)
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def model() -> dict[str, object]:
    lines = [class_line(class_colour(LABELS, number), number) for number in range(len(LABELS))]
    return {
        "labels": LABELS,
        "colours": ["#{:02x}{:02x}{:02x}".format(*line.colour) for line in lines],
        "inks": ["#{:02x}{:02x}{:02x}".format(*line.gap) for line in lines],
        "dashes": [line.dash for line in lines],
    }


def crowd(seed: int, width: int) -> Crowd:
    """A picture of that width and up to 60 faces, of up to half of it; many overlap."""
    dice = np.random.default_rng(seed)
    height = int(width * dice.choice([0.56, 0.67, 1.4]))
    count = int(dice.choice([2, 7, 25, 60]))
    sides = dice.uniform(8, max(10, width * dice.choice([0.05, 0.12, 0.5])), (count, 2))
    corners = dice.uniform(0, 1, (count, 2)) * np.maximum((width, height) - sides, 0)
    boxes = np.minimum(np.concatenate([corners, corners + sides], axis=1), (width, height) * 2)
    faces = [
        {"label": LABELS[number % 3], "score": 0.9 - number / 100, "box": np.round(box, 2).tolist()}
        for number, box in enumerate(boxes)
    ]
    return {"width": width, "height": height, "faces": faces}


@pytest.mark.parametrize("choose", [False, True], ids=["", "one is pointed at"])
@pytest.mark.parametrize(("width", "ratio"), [(346, 2), (700, 1)], ids=["phone", "desk"])
def test_nothing_but_outlines_lies_on_a_face(modules: Any, width: int, ratio: int, choose: bool) -> None:
    crowds = [crowd(seed, width) for seed in range(12)]

    drawn = modules.evaluate(DRAW, [crowds, model(), GROUND, ratio, choose])

    captions = 0
    for one, (_, address) in zip(crowds, drawn, strict=True):
        painted = (np.abs(pixels(address).astype(int) - GROUND) > 2).any(axis=2)
        # As JavaScript rounds.
        boxes = np.floor(np.array([face["box"] for face in one["faces"]]) * ratio + 0.5).astype(int)
        faces_at, outlined = coverage(boxes, painted.shape, ratio)
        rest = painted & ~outlined
        assert not (rest & (faces_at > 1)).any()
        for x1, y1, x2, y2 in boxes.tolist():
            assert rest[y1:y2, x1:x2].mean() <= OWN
        captions += bool((rest & (faces_at == 0)).any())
    assert captions > 3


def coverage(
    boxes: NDArray[np.int64], size: tuple[int, int], ratio: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """[H, W] how many boxes hold each pixel, and whether an outline can lie there."""
    count, outlined = np.zeros(size, np.int64), np.zeros(size, np.bool_)
    for x1, y1, x2, y2 in boxes.tolist():
        count[y1:y2, x1:x2] += 1
        # At its widest: that of a face that is pointed at.
        line = max(2, round(min(7 * ratio, 1.6 * max(0.75 * ratio, min(x2 - x1, y2 - y1) / 14))) + 1)
        within = np.ones((y2 - y1, x2 - x1), np.bool_)
        within[line:-line, line:-line] = False
        outlined[y1:y2, x1:x2] |= within
    return count, outlined


def test_a_few_faces_are_named_and_a_crowd_is_not(modules: Any) -> None:
    few = [
        {"label": LABELS[0], "score": 0.9, "box": [100 + 200 * n, 200, 160 + 200 * n, 270]} for n in range(3)
    ]
    many = [
        {"label": LABELS[0], "score": 0.9, "box": [20 + 40 * n, 40 * m, 50 + 40 * n, 34 + 40 * m]}
        for n in range(18)
        for m in range(12)
    ]
    crowds = [{"width": 800, "height": 500, "faces": faces} for faces in (few, many)]

    drawn = modules.evaluate(DRAW, [crowds, model(), GROUND, 1, False])

    assert [named for named, _ in drawn] == [True, False]
