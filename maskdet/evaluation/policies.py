"""The policies compared: the thresholds that each chooses on val, which is in force, and what each costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from maskdet.detector.threshold_policy import COMPARED, PolicyName, ThresholdPolicy
from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.policy_cost import CostMeter, PolicyCost
from maskdet.evaluation.pool import pool
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.recall_choice import recall_choice
from maskdet.evaluation.result import Evaluation, ThresholdSource
from maskdet.evaluation.safe_choice import safe_choice
from maskdet.evaluation.safety import Parts
from maskdet.evaluation.settings import PARAMETERS, EvalSettings
from maskdet.evaluation.threshold_choice import Choice, Val
from maskdet.evaluation.threshold_search import FLOOR
from maskdet.evaluation.thresholds import Thresholds, best_thresholds
from maskdet.lexicon import Role
from maskdet.types import FloatArray


@dataclass(frozen=True, slots=True)
class Shipped:
    """The thresholds by label in a model file, and the policy stated for them."""

    thresholds: Mapping[str, float]
    policy: ThresholdPolicy


@dataclass(frozen=True, slots=True, eq=False)
class Policies:
    """One val part under every policy: the choice of each, in the order of COMPARED.

    scenes: best first; widths: [M] at network scale.
    """

    scenes: Sequence[Scene]
    widths: FloatArray
    labels: Sequence[str]
    roles: Mapping[str, Role]
    choices: Mapping[ThresholdPolicy, Choice]

    @classmethod
    def chosen(
        cls,
        scenes: Sequence[Scene],
        widths: FloatArray,
        labels: Sequence[str],
        roles: Mapping[str, Role],
        settings: EvalSettings,
    ) -> Policies:
        """Let each policy choose, with its parameter from the settings."""
        best = best_thresholds(scenes, labels)
        start = np.array(list(best.values()), np.float32)
        val = Val(pool(scenes, FLOOR), widths, start, roles, labels)
        made = {
            "safe": safe_choice(val, settings.max_bare_passed),
            "best-f1": Choice(best),
            "recall": recall_choice(val, settings.min_recall),
        }
        choices = {named_policy(name, settings): made[name] for name in COMPARED}
        return cls(scenes, widths, labels, roles, choices)

    def judged(self, settings: EvalSettings) -> Evaluation:
        """At the thresholds of the settings; those of the best F1 if val cannot decide by their policy."""
        wanted = settings.threshold
        if not isinstance(wanted, str):
            return self._at(wanted, ThresholdPolicy(name="given"), "pipeline file")
        policy = named_policy(wanted, settings)
        notes = self.choices[policy].notes
        if not self.choices[policy].thresholds:
            policy = named_policy("best-f1", settings)
        judged = self._at(self.choices[policy].thresholds, policy, "val")
        return replace(judged, notes=(*judged.notes, *notes))

    def judged_as(self, shipped: Shipped) -> Evaluation:
        """At the thresholds inside a model file."""
        return self._at(shipped.thresholds, shipped.policy, "model file")

    def costs(self, judged: Evaluation) -> Iterator[PolicyCost]:
        """What each policy costs; first what is in force, if that is none of them."""
        rows = dict(self.choices)
        in_force = judged.policy in rows and rows[judged.policy].thresholds == judged.thresholds
        listed = (
            list(rows.items()) if in_force else [(judged.policy, Choice(judged.thresholds)), *rows.items()]
        )
        floor = min(score for _, choice in listed for score in choice.thresholds.values())
        meter = CostMeter(
            pool(self.scenes, floor), self.widths, Parts.of(self.roles, self.labels), self.labels
        )
        for place, (policy, choice) in enumerate(listed):
            own = policy == judged.policy if in_force else place == 0
            yield meter.measure(policy, choice, in_force=own)

    def _at(self, thresholds: Thresholds, policy: ThresholdPolicy, source: ThresholdSource) -> Evaluation:
        return replace(
            evaluate(self.scenes, self.labels, thresholds=thresholds), policy=policy, source=source
        )


def named_policy(name: PolicyName, settings: EvalSettings) -> ThresholdPolicy:
    """The policy with its parameter from the settings, if it has one."""
    key = PARAMETERS.get(name)
    return ThresholdPolicy(name=name, parameter=None if key is None else getattr(settings, key))
