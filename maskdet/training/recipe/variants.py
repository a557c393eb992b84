"""PicoDet's family as data: what differs between the sizes, and the network sections of the configuration.

Figures are those of PaddleDetection's published configurations (LCNet family of 2022, ESNet form of 2021).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

PUBLISHED_EPOCHS = 300
PUBLISHED_STATIC_ASSIGNER_EPOCH = 100
PUBLISHED_RATE_PER_PICTURE = 0.00125
"""Base learning rate over total batch, the same for every size (0.24 / 192, 0.12 / 96, 0.06 / 48)."""
NMS = {
    "name": "MultiClassNMS",
    "nms_top_k": 1000,
    "keep_top_k": 100,
    "score_threshold": 0.025,
    "nms_threshold": 0.6,
}
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Variant:
    """One member of the family; `side` is the network input in pixels, `scale` the backbone's width."""

    backbone: Literal["LCNet", "ESNet"]
    scale: float
    channels: int
    head_convs: int
    side: int

    @property
    def input_size(self) -> tuple[int, int]:
        return self.side, self.side

    @property
    def train_sides(self) -> list[int]:
        """Multi-scale sides: five steps of 32 around the target."""
        return [self.side + 32 * step for step in (-2, -1, 0, 1, 2)]

    def weights_of(self, other: Variant) -> bool:
        """Whether weights of the other fit: in a convolutional network the input side does not matter."""
        return replace(other, side=self.side) == self

    def network(self, static_assigner_epoch: int) -> dict[str, Any]:
        """The sections that name backbone, neck and head, in ppdet's keys."""
        if self.backbone == "ESNet":
            return _esnet(self)
        return _lcnet(self, static_assigner_epoch)


def variant(name: str) -> Variant:
    """Look a `model.variant` up, such as picodet_s_416 or picodet_s_320_esnet."""
    size, side = name.removesuffix("_esnet").removeprefix("picodet_").split("_")
    scale, channels, head_convs = _SIZES[size]
    backbone: Literal["LCNet", "ESNet"] = "ESNet" if name.endswith("_esnet") else "LCNet"
    return Variant(backbone, scale, channels, head_convs, int(side))


_SIZES = {"xs": (0.35, 96, 2), "s": (0.75, 96, 2), "m": (1.5, 128, 4), "l": (2.0, 160, 4)}
_STRIDES = [8, 16, 32, 64]
# ppdet's own value. Its necks append to the list, so without one of its own each further network of a
# process would grow by a level.
_NECK_SCALES = (0.125, 0.0625, 0.03125)


def _losses(*, sigmoid: bool) -> dict[str, Any]:
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


def _conv_feat(size: Variant) -> dict[str, Any]:
    return {
        "name": "PicoFeat",
        "feat_in": size.channels,
        "feat_out": size.channels,
        "num_convs": size.head_convs,
        "num_fpn_stride": len(_STRIDES),
        "norm_type": "bn",
        "share_cls_reg": True,
    }


def _head(size: Variant, *, sigmoid: bool) -> dict[str, Any]:
    return {
        "fpn_stride": _STRIDES,
        "feat_in_chan": size.channels,
        "prior_prob": 0.01,
        "reg_max": 7,
        "cell_offset": 0.5,
        **_losses(sigmoid=sigmoid),
        "nms": dict(NMS),
    }


def _lcnet(size: Variant, static_assigner_epoch: int) -> dict[str, Any]:
    return {
        "PicoDet": {"backbone": "LCNet", "neck": "LCPAN", "head": "PicoHeadV2"},
        "LCNet": {"scale": size.scale, "feature_maps": [3, 4, 5]},
        "LCPAN": {
            "out_channels": size.channels,
            "use_depthwise": True,
            "num_features": len(_STRIDES),
            "spatial_scales": list(_NECK_SCALES),
        },
        "PicoHeadV2": {
            "conv_feat": {**_conv_feat(size), "use_se": True},
            "grid_cell_scale": 5.0,
            "use_align_head": True,
            "static_assigner_epoch": static_assigner_epoch,
            "static_assigner": {"name": "ATSSAssigner", "topk": 4, "force_gt_matching": False},
            "assigner": {"name": "TaskAlignedAssigner", "topk": 13, "alpha": 1.0, "beta": 6.0},
            **_head(size, sigmoid=False),
        },
    }


def _esnet(size: Variant) -> dict[str, Any]:
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
            "num_features": len(_STRIDES),
            "spatial_scales": list(_NECK_SCALES),
        },
        "PicoHead": {
            "conv_feat": _conv_feat(size),
            "assigner": {"name": "SimOTAAssigner", "candidate_topk": 10, "iou_weight": 6},
            **_head(size, sigmoid=True),
        },
    }
