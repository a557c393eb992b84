"""What a policy chooses from, and its choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from maskdet.evaluation.policies.search import EVEN, Grid
from maskdet.evaluation.pool import Pool
from maskdet.types import FloatArray
from maskdet.wording.lexicon import Role

FEWEST_FACES: Final = 20
"""Faces that val needs for a choice: wide bare ones for `safe`, of each class for `recall`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Thresholds by label, none if val cannot decide; `notes` say what was not reached, and why."""

    thresholds: dict[str, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Val:
    """pool: from the grid's floor up; widths: [M] at network scale; best_f1: [C] where a search starts."""

    pool: Pool
    widths: FloatArray
    best_f1: FloatArray
    roles: Mapping[str, Role]
    labels: Sequence[str]
    grid: Grid = EVEN

    def by_label(self, thresholds: FloatArray) -> dict[str, float]:
        """Thresholds [C] as a model holds them."""
        return {label: round(float(score), 4) for label, score in zip(self.labels, thresholds, strict=True)}
