"""A full evaluation: thresholds by policy, intervals, safety, slices, and the worst mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from maskdet.errors import UsageError
from maskdet.evaluation.class_match import Meanings, of_known_classes
from maskdet.evaluation.evaluator import checked_scenes
from maskdet.evaluation.intervals import (
    Interval,
    draw_resamples,
    mean_over_classes,
    percentiles,
    resampled_ap,
)
from maskdet.evaluation.metrics.metric import Judged
from maskdet.evaluation.metrics.registry import measure_all
from maskdet.evaluation.mistakes import MistakeFinder
from maskdet.evaluation.policies.chooser import Chooser
from maskdet.evaluation.policies.compared import Policies, Shipped
from maskdet.evaluation.policies.promise_meter import PromiseMeter
from maskdet.evaluation.policies.scores import Scores
from maskdet.evaluation.pool import pool
from maskdet.evaluation.ranking import Curve, Scene
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.safety import Parts, Safety, false_alarm_rate, measure_safety
from maskdet.evaluation.settings import PARAMETERS, EvalSettings
from maskdet.evaluation.slices import FEWEST_FACES, Slicer
from maskdet.evaluation.views import View, network_widths
from maskdet.types import FloatArray, IntArray
from maskdet.wording.lexicon import Role
from maskdet.wording.names import write_instead


def appraise(
    pairs: Iterable[Scene],
    views: Sequence[View],
    labels: Sequence[str],
    settings: EvalSettings,
    input_size: tuple[int, int],
    *,
    shipped: Shipped | None = None,
    meanings: Meanings | None = None,
) -> Evaluation:
    """`evaluate` plus everything that needs the pictures' sizes and brightness; views in the order of pairs.

    `input_size` is the network's (height, width). An exported model has its own thresholds, and a policy by
    which they were chosen: passed as `shipped`, they replace those of the settings. Without `meanings` the
    roles follow from the names. Raises like `evaluate` and `of_known_classes`, and UsageError for an unknown
    label in the settings.
    """
    check_labels(settings, labels)
    meanings = meanings or Meanings.by_names(labels)
    scores = Scores.of(checked_scenes(pairs, labels), views, labels, settings, shipped)
    scenes, roles = scores.served, meanings.roles
    widths = _widths(scenes, views, input_size)
    chooser = Chooser(scores.held_out, widths, labels, roles, settings, scores.grid)
    policies = Policies.chosen(scenes, chooser)
    judged = policies.judged(settings) if shipped is None else policies.judged_as(shipped)
    judged = replace(
        judged,
        policies=tuple(policies.costs(judged)),
        promise=PromiseMeter(chooser, scores.folds).measure(judged),
        calibration=scores.result,
        notes=(*judged.notes, *scores.notes),
    )
    judged = of_known_classes(judged, meanings.partners)
    judged = replace(judged, notes=(*_blind(judged), *judged.notes))
    return _explained(_with_intervals(judged, scenes), scenes, views, widths, roles, input_size)


def _blind(judged: Evaluation) -> Iterator[str]:
    """A model that has learned nothing passes every stage, so the report has to say it."""
    faces = sum(each.truths for each in judged.classes)
    if not any(each.true_positives for each in judged.classes):
        yield (
            f"the model gives none of the {faces} faces of val its label; if it was trained here, train "
            "longer, or start from weights that know these classes: model.pretrained, and data.roles where a "
            "class name does not tell its role"
        )


def _with_intervals(judged: Evaluation, scenes: Sequence[Scene]) -> Evaluation:
    weights = draw_resamples(len(scenes))
    curves = [
        resampled_ap(each.ranking, _faces(scenes, number) * each.known, weights)
        for number, each in enumerate(judged.classes)
    ]
    classes = (
        replace(each, ap50_interval=_interval(curve, each.truths))
        for each, curve in zip(judged.classes, curves, strict=True)
    )
    faces = sum(each.truths for each in judged.classes)
    overall = _interval(mean_over_classes(curves), faces)
    return replace(judged, classes=tuple(classes), ap50_interval=overall)


def _interval(curve: Curve, faces: int) -> Interval | None:
    """None for fewer than FEWEST_FACES, or if all resamples agree: that is no certainty."""
    ends = percentiles(curve)
    return ends if ends and ends[0] < ends[1] and faces >= FEWEST_FACES else None


def _explained(
    judged: Evaluation,
    scenes: Sequence[Scene],
    views: Sequence[View],
    widths: FloatArray,
    roles: Mapping[str, Role],
    input_size: tuple[int, int],
) -> Evaluation:
    labels, scores = tuple(judged.thresholds), _scores(judged)
    parts, all_found = Parts.of(roles, labels), pool(scenes, float(scores.min()))
    safety = measure_safety(all_found, widths, scores, roles, labels)
    alarms = false_alarm_rate(all_found, scores, draw_resamples(len(scenes)))
    known = {each.label: number for number, each in enumerate(judged.classes) if each.known}
    boxes = np.concatenate([truth.boxes for truth, _ in scenes])
    answered = all_found.answers(scores)
    finder = MistakeFinder(all_found, answered, boxes, widths, views, parts, labels)
    return replace(
        judged,
        safety=Safety(roles, {**safety.rates, "false_alarms_per_1000": alarms}),
        slices=tuple(Slicer(scenes, views, input_size, all_found, scores, parts, known).cut()),
        mistakes=tuple(finder.worst()),
        further=measure_all(Judged(all_found, answered, boxes, widths, scores, labels, roles)),
    )


def check_labels(settings: EvalSettings, labels: Sequence[str]) -> None:
    """Raise UsageError if eval.threshold names a label that is not among `labels`."""
    thresholds = settings.threshold if isinstance(settings.threshold, dict) else {}
    for label in thresholds:
        if label not in labels:
            raise UsageError(f"eval.threshold: the model has no label {label}", _hint(label, labels))


def _hint(label: str, labels: Sequence[str]) -> str:
    if label in PARAMETERS:
        return f"write eval.threshold: {label} and eval.{PARAMETERS[label]}"
    return write_instead(label, labels)


def _scores(judged: Evaluation) -> FloatArray:
    return np.array(list(judged.thresholds.values()), np.float32)


def _widths(scenes: Sequence[Scene], views: Sequence[View], input_size: tuple[int, int]) -> FloatArray:
    return np.concatenate(
        [
            network_widths(truth.boxes, view, input_size)
            for (truth, _), view in zip(scenes, views, strict=True)
        ]
    )


def _faces(scenes: Sequence[Scene], class_id: int) -> IntArray:
    return np.array(
        [int((~truth.difficult & (truth.class_ids == class_id)).sum()) for truth, _ in scenes], np.int64
    )
