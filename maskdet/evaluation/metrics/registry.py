"""Which further figures there are."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from maskdet.evaluation.metrics.metric import Judged, Metric

_MODULES: Final = ("localisation",)
"""Modules of this folder, each with a `METRIC`, in the order of the report."""
METRICS: Final[tuple[Metric, ...]] = tuple(
    import_module(f"maskdet.evaluation.metrics.{name}").METRIC for name in _MODULES
)


def measure_all(judged: Judged) -> dict[str, float | None]:
    """Every figure by its name."""
    return {metric.name: metric.measure(judged) for metric in METRICS}
