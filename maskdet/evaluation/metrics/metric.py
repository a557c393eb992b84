"""What a figure of an evaluation is made from, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from maskdet.evaluation.pool import Pool
from maskdet.types import BoolArray, FloatArray
from maskdet.wording.lexicon import Role


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A model on val, at its thresholds.

    pool: detections and faces of all pictures; answered [N]: which detections are the answer; boxes [M, 4]:
    the faces', xyxy in pixels of their picture; widths [M]: of the faces at network scale, in pixels;
    thresholds [C] by class id.
    """

    pool: Pool
    answered: BoolArray
    boxes: FloatArray
    widths: FloatArray
    thresholds: FloatArray
    labels: Sequence[str]
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure over all classes, a fraction of 1."""

    name: str
    """Its key in metrics.json and in the bundle's metrics."""
    meaning: str
    """Its line in the report."""
    measure: Callable[[Judged], float | None]
    """None where it is not defined."""
    better: Literal["higher", "lower"] = "higher"
    """Which value is the better one."""
