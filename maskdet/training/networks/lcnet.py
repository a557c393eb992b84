"""PicoDet of 2022: LCNet, LCPAN and PicoHeadV2."""

from __future__ import annotations

from typing import Any

from maskdet.training.networks.picodet import (
    CLASSIFICATION_FILES,
    DETECTION_FILES,
    NECK_SCALES,
    STRIDES,
    conv_feat,
    head,
)
from maskdet.training.networks.variant import Network, Variant

_SIZES = {"xs": (0.35, 96, 2), "s": (0.75, 96, 2), "m": (1.5, 128, 4), "l": (2.0, 160, 4)}
_SIDES = {"xs": (320, 416), "s": (320, 416), "m": (320, 416), "l": (320, 416, 640)}
_VARIANTS = {
    f"picodet_{size}_{side}": Variant("LCNet", *_SIZES[size], side)
    for size, sides in _SIDES.items()
    for side in sides
}


def _sections(size: Variant, static_assigner_epoch: int) -> dict[str, Any]:
    return {
        "PicoDet": {"backbone": "LCNet", "neck": "LCPAN", "head": "PicoHeadV2"},
        "LCNet": {"scale": size.scale, "feature_maps": [3, 4, 5]},
        "LCPAN": {
            "out_channels": size.channels,
            "use_depthwise": True,
            "num_features": len(STRIDES),
            "spatial_scales": list(NECK_SCALES),
        },
        "PicoHeadV2": {
            "conv_feat": {**conv_feat(size), "use_se": True},
            "grid_cell_scale": 5.0,
            "use_align_head": True,
            "static_assigner_epoch": static_assigner_epoch,
            "static_assigner": {"name": "ATSSAssigner", "topk": 4, "force_gt_matching": False},
            "assigner": {"name": "TaskAlignedAssigner", "topk": 13, "alpha": 1.0, "beta": 6.0},
            **head(size, sigmoid=False),
        },
    }


def _coco(size: Variant) -> str:
    name = next(name for name, each in _VARIANTS.items() if each == size)
    return f"{DETECTION_FILES}/{name}_coco_lcnet.pdparams"


NETWORK = Network(
    backbone="LCNet",
    own_layer="blocks2.0.dw_conv.conv.weight",
    variants=_VARIANTS,
    sections=_sections,
    coco=_coco,
    # Those that PaddleDetection's own configurations start from (configs/picodet).
    imagenet={
        0.35: f"{DETECTION_FILES}/pretrained/LCNet_x0_35_pretrained.pdparams",
        0.75: f"{CLASSIFICATION_FILES}/PPLCNet_x0_75_pretrained.pdparams",
        1.5: f"{DETECTION_FILES}/pretrained/LCNet_x1_5_pretrained.pdparams",
        2.0: f"{CLASSIFICATION_FILES}/PPLCNet_x2_0_pretrained.pdparams",
    },
    pads_truth=True,
    static_assigner_key="PicoHeadV2.static_assigner_epoch",
)
