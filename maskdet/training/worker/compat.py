"""What PaddleDetection 2.6.0 needs under Paddle 3: each function fixes one thing and names its place.

Importing this module imports paddle and ppdet; only worker processes do that.
"""

from __future__ import annotations

import functools
import inspect
import logging
import warnings
from typing import Any

with warnings.catch_warnings():
    # ppdet asks for optional packages at import, and pkg_resources warns of its own removal.
    warnings.simplefilter("ignore")
    import paddle
    import ppdet.modeling  # registers the architectures
    from ppdet.modeling import ops
    from ppdet.modeling.assigners import atss_assigner, task_aligned_assigner
    from ppdet.modeling.heads import pico_head

__all__ = ["apply_shims", "paddle", "ppdet"]


@functools.cache
def apply_shims() -> None:
    """Patch ppdet in place, once per process however often it is called."""
    for logger in ("ppdet", "paddle"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    _mend_assigner(task_aligned_assigner.TaskAlignedAssigner)
    _mend_assigner(atss_assigner.ATSSAssigner)
    _mend_negatives(pico_head.PicoHeadV2)
    _mend_nms()


def _mend_assigner(assigner: Any) -> None:
    """modeling/assigners/{atss,task_aligned}_assigner.py: `assigned_gt_index + batch_ind * num_max_boxes`
    adds int64 to the labels' int32, which Paddle 3 rejects. Labels are passed as int64.

    For a batch without faces the static one omits its fourth result, which the head unpacks but does not
    use.
    """
    original = assigner.forward
    position = list(inspect.signature(original).parameters).index("gt_labels") - 1

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        arguments = list(args)
        arguments[position] = arguments[position].astype("int64")
        found = original(self, *arguments, **kwargs)
        return found if len(found) == 4 else (*found, None)

    assigner.forward = forward


def _mend_negatives(head: Any) -> None:
    """modeling/heads/pico_head.py: in a single worker `PicoHeadV2.get_loss` divides by the sum of the
    assigned scores, which is 0 if no anchor was assigned a face. Such a batch is divided by 1, as with
    several workers.
    """
    original = head.get_loss

    def get_loss(self: Any, outputs: Any, truth: Any) -> dict[str, Any]:
        losses: dict[str, Any] = original(self, outputs, truth)
        if bool(paddle.isfinite(losses["loss_bbox"]).all()):
            return losses
        scores = outputs[0].reshape([-1, self.num_classes])
        background = self.loss_vfl(scores, paddle.zeros_like(scores), avg_factor=1.0)
        return {"loss_vfl": background, "loss_bbox": paddle.zeros([1]), "loss_dfl": paddle.zeros([1])}

    head.get_loss = get_loss


def _mend_nms() -> None:
    """modeling/ops.py: `multiclass_nms` builds its operator by hand for static graphs, which the new IR
    rejects. The C++ entry point works both eagerly and traced.
    """

    def multiclass_nms(bboxes: Any, scores: Any, **options: Any) -> tuple[Any, Any, Any]:
        given = _NMS_DEFAULTS | options
        found, index, count = paddle._C_ops.multiclass_nms3(
            bboxes, scores, given["rois_num"], *(given[name] for name in _NMS_ORDER)
        )
        return found, count, index

    ops.multiclass_nms = multiclass_nms


_NMS_ORDER = (
    "score_threshold",
    "nms_top_k",
    "keep_top_k",
    "nms_threshold",
    "normalized",
    "nms_eta",
    "background_label",
)
_NMS_DEFAULTS = {
    "rois_num": None,
    "nms_threshold": 0.3,
    "normalized": True,
    "nms_eta": 1.0,
    "background_label": -1,
}
