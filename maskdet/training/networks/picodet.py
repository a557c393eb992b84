"""Shared by all PicoDets: figures of the published configurations, losses, head and NMS, in ppdet's keys."""

from __future__ import annotations

from typing import Any

from maskdet.detector.settings import NmsSettings
from maskdet.training.networks.variant import Variant

PUBLISHED_EPOCHS = 300
PUBLISHED_STATIC_ASSIGNER_EPOCH = 100
PUBLISHED_RATE_PER_PICTURE = 0.00125
"""Base learning rate over total batch, the same for every size (0.24 / 192, 0.12 / 96, 0.06 / 48)."""
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
DETECTION_FILES = "https://paddledet.bj.bcebos.com/models"
CLASSIFICATION_FILES = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/legendary_models"
"""Where the published weights of PaddleDetection and PaddleClas are."""
STRIDES = [8, 16, 32, 64]
NECK_SCALES = (0.125, 0.0625, 0.03125)
"""ppdet's own value. Its necks append to the list, so without a separate list each further network of a
process would grow by a level.
"""


def nms_section() -> dict[str, Any]:
    """The values of every bundle, so that ppdet's own postprocessing suppresses like ours."""
    values = NmsSettings()
    return {
        "name": "MultiClassNMS",
        "nms_top_k": values.top_k,
        "keep_top_k": values.keep,
        "score_threshold": values.score_threshold,
        "nms_threshold": values.iou_threshold,
    }


def losses(*, sigmoid: bool) -> dict[str, Any]:
    """Varifocal loss for classes, distribution focal and GIoU loss for boxes."""
    return {
        "loss_class": {
            "name": "VarifocalLoss",
            "use_sigmoid": sigmoid,
            "iou_weighted": True,
            "loss_weight": 1.0,
        },
        "loss_dfl": {"name": "DistributionFocalLoss", "loss_weight": 0.5},
        "loss_bbox": {"name": "GIoULoss", "loss_weight": 2.5},
    }


def conv_feat(size: Variant) -> dict[str, Any]:
    """The convolutions between neck and head."""
    return {
        "name": "PicoFeat",
        "feat_in": size.channels,
        "feat_out": size.channels,
        "num_convs": size.head_convs,
        "num_fpn_stride": len(STRIDES),
        "norm_type": "bn",
        "share_cls_reg": True,
    }


def head(size: Variant, *, sigmoid: bool) -> dict[str, Any]:
    """Shared by both heads: anchors, bins per side, losses and NMS."""
    return {
        "fpn_stride": STRIDES,
        "feat_in_chan": size.channels,
        "prior_prob": 0.01,
        "reg_max": 7,
        "cell_offset": 0.5,
        **losses(sigmoid=sigmoid),
        "nms": nms_section(),
    }
