"""PaddleDetection's published weights: which file belongs to which variant, where it comes from and lies."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Literal

from maskdet.training.recipe.variants import variant

Published = Literal["coco", "imagenet"]
CACHE_VARIABLE = "MASKDET_CACHE"
"""Environment variable: the folder of the cache, in place of the user's own."""
MIRROR_VARIABLE = "MASKDET_WEIGHTS_URL"
"""Environment variable: the address of a folder that holds the files under the same names."""
_DETECTION = "https://paddledet.bj.bcebos.com/models"
_CLASSIFICATION = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/legendary_models"
# The backbones that PaddleDetection's own configurations of the variants start from (configs/picodet).
_BACKBONES = {
    ("LCNet", 0.35): f"{_DETECTION}/pretrained/LCNet_x0_35_pretrained.pdparams",
    ("LCNet", 0.75): f"{_CLASSIFICATION}/PPLCNet_x0_75_pretrained.pdparams",
    ("LCNet", 1.5): f"{_DETECTION}/pretrained/LCNet_x1_5_pretrained.pdparams",
    ("LCNet", 2.0): f"{_CLASSIFICATION}/PPLCNet_x2_0_pretrained.pdparams",
    ("ESNet", 0.75): f"{_DETECTION}/pretrained/ESNet_x0_75_pretrained.pdparams",
}
_LARGEST_ESNET = 416


def published_url(which: Published, variant_name: str) -> str:
    """Where the file for a `model.variant` is: the publisher's address, or the mirror's that is set."""
    address = _coco(variant_name) if which == "coco" else _imagenet(variant_name)
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    return f"{mirror.rstrip('/')}/{PurePosixPath(address).name}" if mirror else address


def cached_file(which: Published, variant_name: str) -> Path:
    """Where the file lies once it was fetched, or may be put by hand."""
    return cache_folder() / "weights" / PurePosixPath(published_url(which, variant_name)).name


def cache_folder() -> Path:
    """$MASKDET_CACHE, or the folder for caches of this system."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - only those who start from published weights

    chosen = os.environ.get(CACHE_VARIABLE, "")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("maskdet", appauthor=False)


def _coco(variant_name: str) -> str:
    size = variant(variant_name)
    if size.backbone == "LCNet":
        return f"{_DETECTION}/{variant_name}_coco_lcnet.pdparams"
    # The 2021 form was published at 320 and 416 px; its weights fit any side.
    return f"{_DETECTION}/picodet_s_{min(size.side, _LARGEST_ESNET)}_coco.pdparams"


def _imagenet(variant_name: str) -> str:
    size = variant(variant_name)
    return _BACKBONES[size.backbone, size.scale]
