"""Difficult faces in training: neither faces to learn nor background. Worker side.

They leave the ground truth before faces are assigned to anchors. An anchor whose centre is in one of them and
which no other face is assigned to is left out of the loss of the classes, as in evaluation, where neither
finding nor missing a difficult face counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import numpy as np
from ppdet.data.transform.batch_operators import PadGT
from ppdet.data.transform.operators import BaseOperator

from maskdet.training.worker.compat import paddle

IGNORED = "ignored"
"""Key of a batch with difficult faces: their boxes [N, K, 4], xyxy in pixels of the input, padded with 0."""
_NO_FACE = -50.0
"""A logit whose loss as background is 0 in float32."""


class SetDifficultAside(BaseOperator):  # type: ignore[misc]
    """Moves the boxes of difficult faces from the ground truth of a batch's pictures to `IGNORED`."""

    def __call__(self, samples: Sequence[dict[str, Any]], context: Any = None) -> Sequence[dict[str, Any]]:
        most = max(int(sample["difficult"].sum()) for sample in samples)
        for sample in samples if most else ():
            aside = sample["difficult"][:, 0] == 1
            boxes = sample["gt_bbox"][aside]
            sample[IGNORED] = np.zeros((most, 4), np.float32)
            sample[IGNORED][: len(boxes)] = boxes
            for key in ("gt_bbox", "gt_class", "gt_score", "difficult"):
                sample[key] = sample[key][~aside]
        return samples


def set_difficult_aside(transforms: list[Any]) -> None:
    """Add the operator to a batch's transforms, after those that move boxes and before padding."""
    places = [place for place, each in enumerate(transforms) if isinstance(each, PadGT)]
    transforms.insert(places[0] if places else len(transforms), SetDifficultAside())


def ignore_difficult(head: Any) -> None:
    """Let the losses of a head leave out what lies in the `IGNORED` boxes of its truth."""
    original = head.get_loss

    def get_loss(outputs: Any, truth: Any) -> Any:
        if IGNORED not in truth:
            return original(outputs, truth)
        with _leaving_out(head.loss_vfl, _anchors_within(head, outputs, truth[IGNORED])):
            return original(outputs, truth)

    head.get_loss = get_loss


@contextmanager
def _leaving_out(loss: Any, ignored: Sequence[Any]) -> Iterator[None]:
    """`ignored`: bool [A] for each call of the loss in turn, whose scores and targets are [A, C]."""
    plain: Callable[..., Any] = loss.forward
    turns = cycle(ignored)

    def forward(scores: Any, targets: Any, **options: Any) -> Any:
        left_out = paddle.logical_and(next(turns), targets.max(axis=1) <= 0).unsqueeze(1)
        surely_none = paddle.full_like(scores, _NO_FACE if loss.use_sigmoid else 0.0)
        return plain(paddle.where(left_out, surely_none, scores), targets, **options)

    loss.forward = forward
    try:
        yield
    finally:
        loss.forward = plain


def _anchors_within(head: Any, outputs: Any, boxes: Any) -> list[Any]:
    """For each call of the loss, which anchors have their centre in a box of their picture: bool [A].

    PicoHeadV2 joins the levels of each picture in one call; PicoHead makes a call for each level.
    """
    joined = len(outputs) == 4
    levels = [
        _within(_centres(head, level, stride), boxes)
        for level, stride in zip(outputs[3] if joined else outputs[0], head.fpn_stride, strict=True)
    ]
    calls = [paddle.concat(levels, axis=1)] if joined else levels
    return [call.reshape([-1]) for call in calls]


def _centres(head: Any, level: Any, stride: int) -> Any:
    """[H * W, 2], row by row, in pixels of the input; level: [N, C, H, W]."""
    height, width = level.shape[-2:]
    y, x = np.mgrid[:height, :width].reshape(2, -1)
    return paddle.to_tensor((np.stack([x, y], axis=1) + head.cell_offset) * stride, dtype="float32")


def _within(points: Any, boxes: Any) -> Any:
    """Which points [A, 2] are in any of a picture's boxes [N, K, 4]: bool [N, A]."""
    start, end = boxes[:, :, None, :2], boxes[:, :, None, 2:]
    return paddle.logical_and(points > start, points < end).all(axis=-1).any(axis=1)
