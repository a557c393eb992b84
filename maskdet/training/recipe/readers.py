"""The reader sections of the configuration: how pictures become training and evaluation batches."""

from __future__ import annotations

from typing import Any, Literal

from maskdet.training.networks.picodet import MEAN, STD
from maskdet.training.networks.registry import network_of
from maskdet.training.networks.variant import Variant
from maskdet.training.settings import TrainSettings

_NORMALISE = {"NormalizeImage": {"is_scale": True, "mean": list(MEAN), "std": list(STD)}}
_STEP = 32


def readers(size: Variant, train: TrainSettings) -> dict[str, Any]:
    """TrainReader, EvalReader and TestReader in ppdet's keys."""
    resize = {"Resize": {"target_size": list(size.input_size), "keep_ratio": False, "interp": 2}}
    plain = [{"Decode": {}}, resize, _NORMALISE, {"Permute": {}}]
    return {
        "TrainReader": _train_reader(size, train),
        "EvalReader": {
            "sample_transforms": plain,
            "batch_transforms": [{"PadBatch": {"pad_to_stride": _STEP}}],
            "batch_size": 8,
        },
        "TestReader": {
            "inputs_def": {"image_shape": [1, 3, *size.input_size]},
            "sample_transforms": plain,
            "batch_size": 1,
        },
    }


def _train_reader(size: Variant, train: TrainSettings) -> dict[str, Any]:
    pad_truth: list[dict[str, Any]] = [{"PadGT": {}}] if network_of(size).pads_truth else []
    sample, resize = _face_views(size, train.view) if train.augment == "faces" else _published(size)
    return {
        "sample_transforms": sample,
        "batch_transforms": [*resize, _NORMALISE, {"Permute": {}}, *pad_truth],
        "batch_size": train.batch_size,
        "repeat_share": train.balance,
        "shuffle": True,
        "drop_last": True,
        "collate_batch": bool(pad_truth),
    }


def _published(size: Variant) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    sample: list[dict[str, Any]] = [
        {"Decode": {}},
        {"RandomCrop": {}},
        {"RandomFlip": {"prob": 0.5}},
        {"RandomDistort": {}},
    ]
    resize = {
        "target_size": size.train_sides,
        "random_size": True,
        "random_interp": True,
        "keep_ratio": False,
    }
    return sample, [{"BatchRandomResize": resize}]


def _face_views(
    size: Variant, side: int | Literal["auto"]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Views of pictures at 0.7 to 1.6 times the input side.

    A view of two thirds of that side costs less than half of a whole picture, and its faces have the sizes
    seen in evaluation.
    """
    view = {
        "side": round(size.side * 2 / 3 / _STEP) * _STEP if side == "auto" else side,
        "between": [round(size.side * 0.7), round(size.side * 1.6)],
    }
    return [
        {"ReadPicture": {}},
        {"PasteFaces": {}},
        {"ZoomView": view},
        {"RandomFlip": {}},
        {"MildColour": {}},
        {"PoorCamera": {}},
    ], []
