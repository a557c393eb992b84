"""The policies compared: the thresholds that each chooses on val, which is in force, and what each costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maskdet.detector.settings import BundleMeta
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.policies.choice import Choice
from maskdet.evaluation.policies.chooser import Chooser, named_policy
from maskdet.evaluation.policies.cost import CostMeter, PolicyCost
from maskdet.evaluation.pool import pool
from maskdet.evaluation.ranking import Scene
from maskdet.evaluation.result import Evaluation, ThresholdSource
from maskdet.evaluation.safety import Parts
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Shipped:
    """The thresholds by label in a model file, the policy stated for them, and whether its scores are
    calibrated.
    """

    thresholds: Mapping[str, float]
    policy: ThresholdPolicy
    calibrated: bool = False

    @classmethod
    def of(cls, meta: BundleMeta, thresholds: Mapping[str, float]) -> Shipped:
        """Of a bundle, with its thresholds under the labels of the data."""
        return cls(thresholds, meta.threshold_policy, meta.calibration is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Policies:
    """One val part under every policy.

    scenes: best first, with the scores of the model in service; chooser: what the policies chose from, which
    may have held-out scores; choices: that of each, in the order of COMPARED.
    """

    scenes: Sequence[Scene]
    chooser: Chooser
    choices: Mapping[ThresholdPolicy, Choice]

    @classmethod
    def chosen(cls, scenes: Sequence[Scene], chooser: Chooser) -> Policies:
        """Let each policy choose."""
        return cls(scenes, chooser, chooser.choices())

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
        parts = Parts.of(self.chooser.roles, self.chooser.labels)
        meter = CostMeter(pool(self.scenes, floor), self.chooser.widths, parts, self.chooser.labels)
        for place, (policy, choice) in enumerate(listed):
            own = policy == judged.policy if in_force else place == 0
            yield meter.measure(policy, choice, in_force=own)

    def _at(self, thresholds: Thresholds, policy: ThresholdPolicy, source: ThresholdSource) -> Evaluation:
        judged = evaluate(self.scenes, self.chooser.labels, thresholds=thresholds)
        return replace(judged, policy=policy, source=source)
