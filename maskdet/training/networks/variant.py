"""What a network and its sizes are, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """One size: `side` is the network input in pixels, `scale` the backbone's width, `channels` those of neck
    and head.
    """

    backbone: str
    scale: float
    channels: int
    head_convs: int
    side: int

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.side, self.side

    @property
    def train_sides(self) -> list[int]:
        """Multi-scale sides: five steps of 32 around the target."""
        return [self.side + 32 * step for step in (-2, -1, 0, 1, 2)]

    def weights_of(self, other: Variant) -> bool:
        """Whether the other's weights fit: in a convolutional network the input side does not matter."""
        return replace(other, side=self.side) == self


@dataclass(frozen=True, slots=True)
class Network:
    """One architecture in all its sizes."""

    backbone: str
    """ppdet's name for it, which is also its section of the configuration."""
    own_layer: str
    """Name of a layer that this backbone has, and no other."""
    variants: Mapping[str, Variant]
    """By the name in `model.variant`."""
    sections: Callable[[Variant, int], dict[str, Any]]
    """Backbone, neck and head in ppdet's keys, from the size and the epochs with the static assigner."""
    coco: Callable[[Variant], str] | None = None
    """URL of the published weights of a size, if any."""
    imagenet: Mapping[float, str] = field(default_factory=dict)
    """URL of the published backbone by its scale, if any."""
    pads_truth: bool = False
    """Whether its assigner takes one array of ground truth for the whole batch."""
    static_assigner_key: str = ""
    """The configuration key of the epochs with the static assigner, if it has one."""
