"""The thresholds in force for a picture: the bundle's own, or the caller's override."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from maskdet.detector.settings import BundleMeta
from maskdet.detector.threshold_policy import OVERRIDE
from maskdet.errors import UsageError
from maskdet.types import FloatArray

Threshold = float | Mapping[str, float] | None
"""One score for all labels, one for some of them, or None for the bundle's own."""


def thresholds_of(meta: BundleMeta, wanted: Threshold = None) -> FloatArray:
    """[C] by class id, read-only. Raises UsageError for an unknown label or a score outside 0..1."""
    asked = wanted if isinstance(wanted, Mapping) else {}
    for label in asked:
        if label not in meta.labels:
            raise UsageError(
                f"threshold: the model has no label {str(label)[:80]!r}",
                f"its labels are {', '.join(meta.labels)}",
            )
    scores = {**meta.thresholds, **asked} if wanted is None or asked else dict.fromkeys(meta.labels, wanted)
    thresholds = np.array([_score(scores[label]) for label in meta.labels], np.float32)
    thresholds.flags.writeable = False
    return thresholds


def with_thresholds(meta: BundleMeta, wanted: Threshold) -> BundleMeta:
    """The metadata with `wanted` in force; unchanged for None. Raises like `thresholds_of`."""
    if wanted is None:
        return meta
    thresholds_of(meta, wanted)
    asked = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(meta.labels, wanted)
    changed = {"thresholds": {**meta.thresholds, **asked}, "threshold_policy": OVERRIDE}
    return meta.model_copy(update=changed)


def _score(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise UsageError(f"the threshold {value} is not between 0 and 1", "use a score such as 0.5")
