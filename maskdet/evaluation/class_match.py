"""Roles of the evaluated classes, and the evaluation of a model that lacks some of the data's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maskdet.errors import DatasetError
from maskdet.evaluation.result import ClassEvaluation, Evaluation
from maskdet.wording.lexicon import Roles, label_roles

Partners = Mapping[str, str | None]
"""By class of the data the model's matching class, None if it has none."""


@dataclass(frozen=True, slots=True)
class Meanings:
    """The roles of the evaluated labels, and which of them the model has."""

    roles: Roles
    partners: Partners

    @classmethod
    def by_names(cls, labels: Sequence[str]) -> Meanings:
        """For a model with exactly these labels."""
        return cls(label_roles(labels), {label: label for label in labels})


def of_known_classes(judged: Evaluation, partners: Partners) -> Evaluation:
    """The figures without AP and rates of the classes that the model does not have: they are not measured,
    and the means leave them out. Their faces still count for what they are mistaken for.

    Raises DatasetError if val has no face of a class that the model has.
    """
    absent = [label for label, partner in partners.items() if partner is None]
    classes = tuple(_unmeasured(each) if each.label in absent else each for each in judged.classes)
    if all(each.ap50 is None for each in classes):
        raise DatasetError(
            f"nothing to evaluate: val has only faces of classes that the model lacks: {', '.join(absent)}",
            "set data.split so that val has faces of the other classes too",
        )
    return replace(
        judged,
        classes=classes,
        partners=dict(partners),
        ap50=_mean(each.ap50 for each in classes),
        ap50_95=_mean(each.ap50_95 for each in classes),
    )


def _unmeasured(each: ClassEvaluation) -> ClassEvaluation:
    return replace(each, known=False, ap50=None, ap50_95=None)


def _mean(values: Iterable[float | None]) -> float:
    present = [value for value in values if value is not None]
    return sum(present) / len(present)
