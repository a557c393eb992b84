"""From a picture to the result: the faces, each once, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.detector.answer import answer
from maskdet.detector.detector import Detector
from maskdet.detector.settings import UNCERTAIN_BAND, BundleMeta
from maskdet.detector.tiling import PLAIN, Look, detect_closely
from maskdet.detector.verdict import MaskRule, Verdict
from maskdet.types import Detections, FloatArray, Picture


@dataclass(frozen=True, slots=True)
class Conclusion:
    """detections: those that reach their thresholds, best first; verdict: over all of them, with counts."""

    detections: Detections
    verdict: Verdict


def rule_of(
    meta: BundleMeta, violations: Sequence[str] | None = None, band: float = UNCERTAIN_BAND
) -> MaskRule:
    """The rule for a bundle's labels; `violations` and `band` as in the server's settings."""
    return MaskRule.of(meta.labels, meta.roles, violations, band)


def conclude(
    candidates: Detections, thresholds: FloatArray, rule: MaskRule, max_detections: int | None = None
) -> Conclusion:
    """candidates: as `MaskRule.judge` takes them; thresholds: [C] by class id.

    `max_detections` limits the detections, best first; the verdict covers all of them.
    """
    sure = answer(candidates, thresholds)
    verdict = rule.judge(candidates, sure, thresholds)
    limited = sure if max_detections is None else sure.select(np.arange(len(sure))[:max_detections])
    return Conclusion(limited, verdict)


def examine(
    detector: Detector,
    picture: Picture,
    thresholds: FloatArray,
    rule: MaskRule,
    *,
    look: Look = PLAIN,
    size: tuple[int, int] | None = None,
    max_detections: int | None = None,
) -> Conclusion:
    """Detect and conclude; `size` and errors as for `Detector.detect`."""
    from_score = float(rule.doubt_from(thresholds).min())
    candidates = detect_closely(detector, picture, look, size, from_score=from_score)
    return conclude(candidates, thresholds, rule, max_detections)
