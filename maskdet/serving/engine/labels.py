"""The labels that the settings name, compared with those of the loaded models."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.errors import UsageError
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.settings import ServeSettings
from maskdet.wording.names import did_you_mean


def check_labels(models: Sequence[ServedModel], settings: ServeSettings) -> None:
    """A typo in the settings, or a model with other labels, would silently let every face pass.

    Raises UsageError.
    """
    violations = settings.violation_labels or ()
    _check_known("violation_labels", violations, models)
    _check_known("hub_labels", tuple(settings.hub_labels), models)
    for model in models:
        if violations and not set(violations) & set(model.meta.labels):
            raise UsageError(
                f"serve.violation_labels: the model {model.name} has none of them, only "
                f"{', '.join(model.meta.labels)}",
                "list those of its labels that break the rule as well",
            )


def _check_known(key: str, given: Sequence[str], models: Sequence[ServedModel]) -> None:
    labels = [label for model in models for label in model.meta.labels]
    for label in given:
        if label not in labels:
            hint = did_you_mean(label, labels) or f"there are {', '.join(dict.fromkeys(labels))}"
            raise UsageError(f"serve.{key}: no loaded model has the label {label}", hint)
