"""Prints, as JSON, what the face augmentation does to a white face on grey, for many seeds."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from maskdet.training.worker.augment import MildColour, PoorCamera, ZoomView

SIDE = 160
FACE = (90, 60, 130, 120)
"""xyxy in a picture of 240 x 320."""


def sample(*, difficult: bool = False) -> dict[str, Any]:
    image = np.full((240, 320, 3), 60, np.uint8)
    image[FACE[1] : FACE[3], FACE[0] : FACE[2]] = 255
    return {
        "image": image,
        "gt_bbox": np.array([FACE], np.float32),
        "gt_class": np.array([[1]], np.int32),
        "gt_score": np.array([[1]], np.float32),
        "difficult": np.array([[difficult]], np.int32),
    }


def zoomed(seed: int, *, difficult: bool = False) -> dict[str, Any]:
    """How far, in pixels, the box lies from the white pixels of the view; None where no face is marked."""
    np.random.seed(seed)
    view = ZoomView(SIDE, [200, 500]).apply(sample(difficult=difficult))
    assert view["image"].shape == (SIDE, SIDE, 3)
    assert len(view["gt_bbox"]) == len(view["gt_class"]) == len(view["gt_score"]) == len(view["difficult"])
    rows, columns = np.nonzero(view["image"][..., 0] > 200)
    if not len(view["gt_bbox"]):
        return {"off": None, "white": len(rows)}
    white = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    return {"off": float(np.abs(view["gt_bbox"][0] - white).max()), "white": len(rows)}


def coloured(seed: int) -> dict[str, Any]:
    """What colour and camera leave as it was, and how far the mean pixel moves."""
    np.random.seed(seed)
    before = sample()
    after = PoorCamera().apply(MildColour().apply(sample()))
    return {
        "same_box": bool((after["gt_bbox"] == before["gt_bbox"]).all()),
        "same_shape": after["image"].shape == before["image"].shape and after["image"].dtype == np.uint8,
        "moved": float(np.abs(after["image"].astype(float) - before["image"]).mean()),
        "face_is_lighter": bool(after["image"][90, 110].mean() > after["image"][200, 300].mean()),
    }


sys.stdout.write(
    json.dumps(
        {
            "zoomed": [zoomed(seed) for seed in range(60)],
            "difficult": [zoomed(seed, difficult=True) for seed in range(60)],
            "coloured": [coloured(seed) for seed in range(60)],
        }
    )
)
