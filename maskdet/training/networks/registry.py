"""The available networks, and the lookup of a `model.variant`."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from maskdet.training.networks.variant import Network, Variant

_MODULES: Final = ("lcnet", "esnet")
"""Modules of this folder, each with a `NETWORK`."""
NETWORKS: Final[tuple[Network, ...]] = tuple(
    import_module(f"maskdet.training.networks.{name}").NETWORK for name in _MODULES
)
VARIANTS: Final = {name: size for network in NETWORKS for name, size in network.variants.items()}
"""Every size of every network by its name in `model.variant`."""


def variant(name: str) -> Variant:
    """The size of that name, such as picodet_s_416."""
    return VARIANTS[name]


def network_of(size: Variant) -> Network:
    """The network that a size belongs to."""
    return next(network for network in NETWORKS if network.backbone == size.backbone)
