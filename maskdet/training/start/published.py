"""PaddleDetection's published weights: the file of each variant, its URL and its place in the cache."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Final, Literal, get_args

from maskdet.errors import PipelineFileError
from maskdet.training.networks.registry import network_of, variant

Published = Literal["coco", "imagenet"]
PUBLISHED: Final[dict[str, Published]] = {name: name for name in get_args(Published)}
"""By its word in `model.pretrained`."""
CACHE_VARIABLE = "MASKDET_CACHE"
"""Environment variable: the cache folder, in place of the user's own."""
MIRROR_VARIABLE = "MASKDET_WEIGHTS_URL"
"""Environment variable: the URL of a folder that holds the files under the same names."""


def published_url(which: Published, variant_name: str) -> str:
    """The URL of the file for a `model.variant`: the publisher's, or that of the mirror.

    Raises PipelineFileError if nothing was published for it.
    """
    address = _address(which, variant_name)
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    return f"{mirror.rstrip('/')}/{PurePosixPath(address).name}" if mirror else address


def _address(which: Published, variant_name: str) -> str:
    size = variant(variant_name)
    network = network_of(size)
    if which == "imagenet" and size.scale in network.imagenet:
        return network.imagenet[size.scale]
    if which == "coco" and network.coco is not None:
        return network.coco(size)
    raise PipelineFileError(
        f"model.pretrained: no {which} weights were published for {variant_name}",
        "set model.pretrained to none, or to a file",
    )


def cached_file(which: Published, variant_name: str) -> Path:
    """Where the file is once downloaded, or may be put by hand."""
    return cache_folder() / "weights" / PurePosixPath(published_url(which, variant_name)).name


def cache_folder() -> Path:
    """$MASKDET_CACHE, or the system's cache folder."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - needed only for published weights

    chosen = os.environ.get(CACHE_VARIABLE, "")
    return Path(chosen).expanduser().absolute() if chosen else user_cache_path("maskdet", appauthor=False)
