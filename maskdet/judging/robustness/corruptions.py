"""The corruptions by name, each at three strengths, and the same for the same seed on every machine."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from maskdet.judging.robustness import light
from maskdet.judging.robustness.geometry import Scene, rotated, tilted
from maskdet.judging.robustness.hand import covered
from maskdet.types import GroundTruth, Picture

Change = Callable[[Picture, GroundTruth, float, np.random.Generator], Scene]
Pixels = Callable[[Picture, float, np.random.Generator], Picture]


@dataclass(frozen=True, slots=True)
class Corruption:
    """`strengths`: weak, medium, strong, as `change` takes them; `unit` writes one in words."""

    name: str
    strengths: tuple[float, float, float]
    unit: str
    change: Change


@dataclass(frozen=True, slots=True)
class Condition:
    """A corruption at one strength; `number` tells it from the others."""

    number: int
    corruption: Corruption
    strength: float

    @property
    def text(self) -> str:
        """Such as `motion blur 2%`."""
        return f"{self.corruption.name} {self.corruption.unit.format(self.strength)}"

    def of(self, picture: Picture, truth: GroundTruth, name: str, seed: int) -> Scene:
        """The corrupted picture and its faces; `name` is the picture's own. The input does not change."""
        rng = np.random.default_rng([seed, zlib.crc32(name.encode()), self.number])
        return self.corruption.change(picture, truth, self.strength, rng)


def _still(change: Pixels) -> Change:
    def changed(picture: Picture, truth: GroundTruth, strength: float, rng: np.random.Generator) -> Scene:
        return change(picture, strength, rng), truth

    return changed


def _by_hand(picture: Picture, truth: GroundTruth, strength: float, rng: np.random.Generator) -> Scene:
    return covered(picture, truth.boxes, strength, rng), truth


CORRUPTIONS: Final = (
    Corruption("motion blur", (0.01, 0.02, 0.04), "{:.0%}", _still(light.motion_blur)),
    Corruption("focus blur", (0.0025, 0.005, 0.01), "{:.2%}", _still(light.focus_blur)),
    Corruption("dark", (0.5, 0.25, 0.125), "x{:g}", _still(light.exposure)),
    Corruption("bright", (1.5, 2.5, 4.0), "x{:g}", _still(light.exposure)),
    Corruption("noise", (8, 16, 32), "{:g}", _still(light.noise)),
    Corruption("JPEG quality", (30, 15, 7), "{:g}", _still(light.jpeg)),
    Corruption("resolution", (2, 3, 4), "1/{:g}", _still(light.resolution)),
    Corruption("grey", (0.5, 0.75, 1.0), "{:.0%}", _still(light.greyness)),
    Corruption("fog", (0.3, 0.5, 0.7), "{:.0%}", _still(light.fog)),
    Corruption("hand", (0.25, 0.4, 0.55), "{:.0%}", _by_hand),
    Corruption("rotation", (15, 30, 45), "±{:g}°", rotated),
    Corruption("tilt", (0.1, 0.2, 0.3), "{:.0%}", tilted),
)

CONDITIONS: Final = tuple(
    Condition(3 * place + at, corruption, strength)
    for place, corruption in enumerate(CORRUPTIONS)
    for at, strength in enumerate(corruption.strengths)
)
