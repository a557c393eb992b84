"""The `eval` section of pipeline.yml."""

from __future__ import annotations

from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from maskdet.settings import Section

Score = Annotated[float, Field(ge=0, le=1)]

PARAMETERS: Final = {"safe": "max_bare_passed", "recall": "min_recall", "promise": "min_answered"}
"""The key that holds the limit of each policy that has one, or that names its promise."""


class Limits(NamedTuple):
    """What an evaluation checks as a promise: see the settings of these names."""

    bare_passed: float
    answered: float
    false_alarms: float


class EvalSettings(Section):
    """How a model is evaluated on val."""

    threshold: Score | Literal["best-f1", "safe", "recall", "promise"] | dict[str, Score] = "best-f1"
    """Lowest score that counts: 0..1 for all classes, or by label (others get their best F1); best-f1: each
    class's best on val; safe: the best mean F1 with at most max_bare_passed, which leaves more faces
    unanswered; recall: the best mean F1 with at least min_recall, which gives more false alarms; promise: the
    best mean F1 that keeps max_bare_passed, min_answered and max_false_alarms. The eval report shows what
    each costs."""
    calibrate: bool = True
    """Fit a temperature on val that makes scores probabilities: of detections with a score of 0.8, about 80 %
    are right. Thresholds are such scores too. AP and the order of detections stay. false: the network's
    scores."""
    max_bare_passed: float = Field(0.02, ge=0, le=1)
    """For thresholds safe and promise: share of bare faces wider than 16 px at network scale that may pass as
    masked."""
    min_answered: float = Field(0.8, ge=0, le=1)
    """For threshold promise: share of the faces of each role, wider than 16 px, that get a label of it."""
    max_false_alarms: float = Field(0.1, ge=0)
    """For threshold promise: detections on no labelled face, for each labelled face."""
    min_recall: float = Field(0.9, ge=0, le=1)
    """For threshold recall: share of each class's faces on val that must be answered."""
    batch_size: int = Field(8, ge=1)
    """Pictures processed at a time when a checkpoint is evaluated, over all cores; less needs less memory."""

    @property
    def limits(self) -> Limits:
        return Limits(self.max_bare_passed, self.min_answered, self.max_false_alarms)
