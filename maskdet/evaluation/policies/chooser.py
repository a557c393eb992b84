"""Val as the policies see it, and the thresholds that each chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from maskdet.detector.threshold_policy import COMPARED, PolicyName, ThresholdPolicy
from maskdet.evaluation.policies.choice import Choice, Val
from maskdet.evaluation.policies.promise_choice import promise_choice
from maskdet.evaluation.policies.recall_choice import recall_choice
from maskdet.evaluation.policies.safe_choice import safe_choice
from maskdet.evaluation.policies.search import Grid
from maskdet.evaluation.pool import pool
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.settings import PARAMETERS, EvalSettings
from maskdet.evaluation.thresholds import best_thresholds
from maskdet.types import BoolArray, FloatArray
from maskdet.wording.lexicon import Role

_SEARCHED: Final[Mapping[str, Callable[[Val, EvalSettings], Choice]]] = {
    "safe": lambda val, settings: safe_choice(val, settings.max_bare_passed),
    "recall": lambda val, settings: recall_choice(val, settings.min_recall),
    "promise": lambda val, settings: promise_choice(val, settings.limits),
}


@dataclass(frozen=True, slots=True, eq=False)
class Chooser:
    """scenes [P]: best first; widths [M] at network scale; grid: the thresholds to try."""

    scenes: Sequence[Scene]
    widths: FloatArray
    labels: Sequence[str]
    roles: Mapping[str, Role]
    settings: EvalSettings
    grid: Grid

    def choices(self) -> dict[ThresholdPolicy, Choice]:
        """That of each policy, in the order of COMPARED, with its parameter from the settings."""
        best = best_thresholds(self.scenes, self.labels)
        val = self._val(best)
        return {named_policy(name, self.settings): self._choice(name, best, val) for name in COMPARED}

    def thresholds(self, name: PolicyName) -> dict[str, float]:
        """By one policy; those of the best F1 if val cannot decide by it."""
        best = best_thresholds(self.scenes, self.labels)
        return self._choice(name, best, self._val(best)).thresholds or best

    def only(self, pictures: BoolArray) -> Chooser:
        """With a part of the pictures [P]."""
        faces = np.repeat(pictures, [len(truth) for truth, _ in self.scenes])
        scenes = [scene for scene, kept in zip(self.scenes, pictures.tolist(), strict=True) if kept]
        return replace(self, scenes=scenes, widths=self.widths[faces])

    def _choice(self, name: PolicyName, best: dict[str, float], val: Val) -> Choice:
        return _SEARCHED[name](val, self.settings) if name in _SEARCHED else Choice(best)

    def _val(self, best: dict[str, float]) -> Val:
        start = np.array(list(best.values()), np.float32)
        everything = pool(self.scenes, self.grid.floor)
        return Val(everything, self.widths, start, self.roles, self.labels, self.grid)


def named_policy(name: PolicyName, settings: EvalSettings) -> ThresholdPolicy:
    """The policy with its parameter from the settings, if it has one."""
    key = PARAMETERS.get(name)
    return ThresholdPolicy(name=name, parameter=None if key is None else getattr(settings, key))
