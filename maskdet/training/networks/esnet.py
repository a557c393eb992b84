"""PicoDet of 2021: ESNet, CSPPAN and PicoHead. It trains twice as fast on a CPU."""

from __future__ import annotations

from typing import Any

from maskdet.training.networks.picodet import DETECTION_FILES, NECK_SCALES, STRIDES, conv_feat, head
from maskdet.training.networks.variant import Network, Variant

_LARGEST_PUBLISHED = 416
_VARIANTS = {f"picodet_s_{side}_esnet": Variant("ESNet", 0.75, 96, 2, side) for side in (320, 416, 512, 640)}


def _sections(size: Variant, _static_assigner_epoch: int) -> dict[str, Any]:
    return {
        "PicoDet": {"backbone": "ESNet", "neck": "CSPPAN", "head": "PicoHead"},
        "ESNet": {
            "scale": size.scale,
            "feature_maps": [4, 11, 14],
            "act": "hard_swish",
            "channel_ratio": [0.875, 0.5, 0.5, 0.5, 0.625, 0.5, 0.625, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
        },
        "CSPPAN": {
            "out_channels": size.channels,
            "use_depthwise": True,
            "num_csp_blocks": 1,
            "num_features": len(STRIDES),
            "spatial_scales": list(NECK_SCALES),
        },
        "PicoHead": {
            "conv_feat": conv_feat(size),
            "assigner": {"name": "SimOTAAssigner", "candidate_topk": 10, "iou_weight": 6},
            **head(size, sigmoid=True),
        },
    }


def _coco(size: Variant) -> str:
    # Published at 320 and 416 px; the weights fit any side.
    return f"{DETECTION_FILES}/picodet_s_{min(size.side, _LARGEST_PUBLISHED)}_coco.pdparams"


NETWORK = Network(
    backbone="ESNet",
    own_layer="_conv1._conv.weight",
    variants=_VARIANTS,
    sections=_sections,
    coco=_coco,
    imagenet={0.75: f"{DETECTION_FILES}/pretrained/ESNet_x0_75_pretrained.pdparams"},
)
