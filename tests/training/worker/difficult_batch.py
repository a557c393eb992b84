"""Prints, as JSON, what difficult faces do to a training's first batch: CONFIG MANIFEST.

Of each assigner: the largest gradient that any class score gets from an anchor inside a difficult face, the
smallest elsewhere, and the losses of the boxes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.dataset.manifest import load_manifest
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.loop import Training

LATE = 10**6
"""An epoch in which every network has its last assigner."""


def prepared(config: str, manifest: str) -> Training:
    job = {
        "config": config,
        "manifest": manifest,
        "out": str(Path(manifest).parent),
        "start": {},
        "start_share": 0.0,
        "seed": 0,
        "patience": None,
        "evaluate_every": 1,
        "devices": "cpu",
        "resume": False,
        "fingerprint": "",
        "parts": 1,
        "rate_share": 1.0,
        "cache_bytes": 2**20,
        "max_hours": None,
    }
    paddle.set_device("cpu")
    paddle.seed(0)
    return Training.prepare(job, lambda event, **fields: None, 1)


def told(training: Training, batch: dict[str, Any]) -> dict[str, Any]:
    outputs = _leaves(training.network.head(training.network.neck(training.network.backbone(batch))))
    losses = training.network.head.get_loss(outputs, batch)
    sum(losses.values()).backward()
    scores = outputs[0] if isinstance(outputs[0], list) else [outputs[0]]
    levels = outputs[3] if len(outputs) == 4 else outputs[0]
    slopes = np.concatenate([_by_anchor(each.grad.numpy()) for each in scores], axis=1)
    inside = _inside(training, levels, batch)
    return {
        "inside": float(np.abs(slopes[inside]).max()),
        "outside": float(np.abs(slopes[~inside]).max(axis=1).min()),
        "anchors": int(inside.sum()),
        "boxes": float(losses["loss_bbox"]),
    }


def _leaves(outputs: Any) -> Any:
    """The head's outputs, cut off from the network."""
    if isinstance(outputs, list | tuple):
        return type(outputs)(_leaves(each) for each in outputs)
    leaf = outputs.detach()
    leaf.stop_gradient = False
    return leaf


def _by_anchor(slope: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N, A, C] of PicoHeadV2, or of one level of PicoHead."""
    return slope if slope.ndim == 3 else slope.reshape(*slope.shape[:2], -1).transpose(0, 2, 1)


def _inside(training: Training, levels: Any, batch: dict[str, Any]) -> NDArray[np.bool_]:
    """[N, A], from the pictures of the manifest."""
    pictures = load_manifest(Path(training.job["manifest"])).part("train")
    height, width = batch["image"].shape[2:]
    rows = []
    for number in batch["im_id"].numpy().ravel():
        picture = pictures[number]
        scale = np.tile([width / picture.width, height / picture.height], 2)
        boxes = [np.array(item.box) * scale for item in picture.objects if item.difficult]
        rows.append([_covered(x, y, boxes) for x, y in _points(levels, training.network.head.fpn_stride)])
    return np.array(rows)


def _points(levels: Any, strides: list[int]) -> Iterator[tuple[float, float]]:
    for level, stride in zip(levels, strides, strict=True):
        for row in range(level.shape[2]):
            for column in range(level.shape[3]):
                yield (column + 0.5) * stride, (row + 0.5) * stride


def _covered(x: float, y: float, boxes: list[Any]) -> bool:
    return any(box[0] < x < box[2] and box[1] < y < box[3] for box in boxes)


def _taught(batch: dict[str, Any]) -> Iterator[list[int]]:
    """The classes of each picture's faces; one head pads them."""
    for number, classes in enumerate(batch["gt_class"]):
        real = batch["pad_gt_mask"][number].numpy().ravel() > 0 if "pad_gt_mask" in batch else slice(None)
        yield classes.numpy().ravel()[real].tolist()


training = prepared(*sys.argv[1:])
batches = list(training.feed.epoch(0))
training.network.train()
said = [told(training, {**batches[0], "epoch_id": epoch}) for epoch in (0, LATE)]
classes = [number for batch in batches for each in _taught(batch) for number in each]
sys.stdout.write(json.dumps({"batches": said, "classes": sorted({*classes}), "faces": len(classes)}) + "\n")
