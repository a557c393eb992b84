"""The kind of network that weights belong to, derived from names and shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from maskdet.training.networks.registry import NETWORKS

BACKBONE = "backbone."
BOX_ROWS = 32
"""Rows of a head for boxes: 4 sides x (reg_max + 1) bins."""
_FIRST_CLASS_LAYER = "head.head_cls0.weight"
_OWN_BOX_LAYER = "head.head_reg0.weight"

Weights = Mapping[str, NDArray[Any]]


def shares_box_rows(weights: Weights) -> bool:
    """PicoHead with share_cls_reg: one layer holds the class rows, then the box rows."""
    return _OWN_BOX_LAYER not in weights


def class_count(weights: Weights) -> int:
    """The head's number of classes, 0 without a head."""
    layer = weights.get(_FIRST_CLASS_LAYER)
    if layer is None:
        return 0
    return int(layer.shape[0]) - (BOX_ROWS if shares_box_rows(weights) else 0)


def describe(weights: Weights) -> str:
    """Backbone with its width, and head with its classes, such as `ESNet, 384 channels wide, PicoHead of 3
    classes`.
    """
    backbone = next((each.backbone for each in NETWORKS if _has(weights, each.own_layer)), "")
    if not backbone:
        return "not a PicoDet"
    # Layers of neck and head are narrower than the widest of the backbone.
    layers = (value for name, value in weights.items() if value.ndim == 4 and "head." not in name)
    width = max((value.shape[0] for value in layers), default=0)
    head = "PicoHead" if shares_box_rows(weights) else "PicoHeadV2"
    classes = class_count(weights)
    return f"{backbone}, {width} channels wide, {f'{head} of {classes} classes' if classes else 'no head'}"


def _has(weights: Weights, mark: str) -> bool:
    return f"{BACKBONE}{mark}" in weights or mark in weights
