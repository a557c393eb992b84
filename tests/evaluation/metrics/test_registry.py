from __future__ import annotations

from pathlib import Path

from maskdet.evaluation.metrics import registry
from maskdet.evaluation.metrics.registry import METRICS


def test_every_module_with_a_metric_is_registered() -> None:
    folder = Path(registry.__file__).parent
    modules = [path for path in folder.glob("*.py") if "\nMETRIC = " in path.read_text("utf-8")]
    assert len(METRICS) == len({metric.name for metric in METRICS}) == len(modules)
