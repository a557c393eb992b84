"""Keys that name labels: those that only later stages use are checked before hours of training."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.errors import UsageError
from maskdet.evaluation.appraisal import check_labels
from maskdet.pipeline.schema import PipelineFile
from maskdet.settings import nearest


def check_label_keys(pipeline: PipelineFile, labels: Sequence[str]) -> None:
    """Raise UsageError for the first key that names a label which is not among `labels`."""
    check_labels(pipeline.eval, labels)
    floors = pipeline.gates.floors
    for key, named in (("class_ap50", floors.class_ap50), ("class_recall", floors.class_recall)):
        for label in named:
            if label not in labels:
                hint = f"write {nearest(label, labels) or ' or '.join(labels)}"
                raise UsageError(f"gates.floors.{key}: the data has no label {label}", hint)
