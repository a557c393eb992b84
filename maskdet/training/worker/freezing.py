"""Parts of a network that a training leaves as it found them. Worker side."""

from __future__ import annotations

from typing import Any

NOTHING = "none"


def freeze(network: Any, part: str) -> None:
    """Let no gradient reach `part` (`backbone`, or `none`), which also spares its backward pass."""
    if part != NOTHING:
        for parameter in getattr(network, part).parameters():
            parameter.stop_gradient = True


def to_training(network: Any, part: str) -> None:
    """Training mode for all but `part`, whose running statistics stay as well."""
    network.train()
    if part != NOTHING:
        getattr(network, part).eval()
