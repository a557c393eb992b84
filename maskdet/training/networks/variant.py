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
        """Whether weights of the other fit: in a convolutional network the input side does not matter."""
        return replace(other, side=self.side) == self


@dataclass(frozen=True, slots=True)
class Network:
    """One architecture in all its sizes."""

    backbone: str
    """ppdet's name of it, which is also its section of the configuration."""
    own_layer: str
    """Name of a layer that this backbone has, and no other."""
    variants: Mapping[str, Variant]
    """By the name that `model.variant` gives."""
    sections: Callable[[Variant, int], dict[str, Any]]
    """Backbone, neck and head in ppdet's keys, from the size and the epochs with the static assigner."""
    coco: Callable[[Variant], str] | None = None
    """Address of the published weights of a size, where there are some."""
    imagenet: Mapping[float, str] = field(default_factory=dict)
    """Address of the published backbone by its scale, where there is one."""
    pads_truth: bool = False
    """Whether its assigner takes one array of truths for the whole batch."""
    static_assigner_key: str = ""
    """Where the epochs with the static assigner stand in the configuration, if it has one."""
