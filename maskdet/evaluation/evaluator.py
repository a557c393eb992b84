"""The one evaluator for all model files: detections against labelled faces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from maskdet.detector.answer import answer
from maskdet.errors import BundleError, DatasetError
from maskdet.evaluation.average_precision import coco_ap, integral_ap
from maskdet.evaluation.confusion import confusion_matrix
from maskdet.evaluation.ranking import Ranking, Scene, of_class, rank_coco, rank_voc
from maskdet.evaluation.result import ClassEvaluation, Evaluation
from maskdet.evaluation.thresholds import Thresholds, class_threshold
from maskdet.types import ANY_CLASS, Detections, GroundTruth, IntArray


def evaluate(pairs: Iterable[Scene], labels: Sequence[str], *, thresholds: Thresholds) -> Evaluation:
    """Evaluate a model by its detections in each picture; `labels[i]` is the name of class id i.

    Two conventions, since each figure is compared with another tool's:

    * `ap50` is PaddleDetection's own VOC figure, so that it equals what its training prints: IoU over 0.5
      with inclusive pixels, a detection goes to the face it overlaps most, integral AP without smoothing,
      mean over the classes that val has.
    * `ap50_95` is COCO's figure, so that it equals pycocotools and is comparable with published models:
      plain IoU 0.50 to 0.95 in steps of 0.05, 101 recalls, at most 100 detections per class and picture.

    In both, `difficult` faces are ignored: neither finding nor missing one counts. `ap50_any_class` is
    `ap50` with all classes merged: whether faces are found, whatever their label. AP covers all detections
    after NMS, per class; counts and rates are those of the final answer at the thresholds, one label per face
    (`detector.answer`), with VOC's matching. Scores are compared as float32; equal scores keep the order of
    the pictures.

    Raises DatasetError if there is no face that counts or a face has an id beyond `labels`, BundleError if
    a detection has, or is not made of finite numbers.
    """
    scenes = checked_scenes(pairs, labels)
    faces = [_as_one_class(scene) for scene in scenes]
    own = [of_class(scenes, number) for number in range(len(labels))]
    rankings = [rank_voc(each) for each in own]
    chosen = [
        class_threshold(ranking, thresholds, label) for ranking, label in zip(rankings, labels, strict=True)
    ]
    scores = np.array(chosen, np.float32)
    answers = [(truth, answer(found, scores)) for truth, found in scenes]
    classes = tuple(
        _class_evaluation(label, own[number], rankings[number], chosen[number], of_class(answers, number))
        for number, label in enumerate(labels)
    )
    return Evaluation(
        pictures=len(scenes),
        ap50=_mean(each.ap50 for each in classes),
        ap50_95=_mean(each.ap50_95 for each in classes),
        ap50_any_class=integral_ap(rank_voc(faces)),
        classes=classes,
        confusion=confusion_matrix(scenes, scores),
        notes=tuple(_notes(classes)),
    )


def checked_scenes(pairs: Iterable[Scene], labels: Sequence[str]) -> list[Scene]:
    """The scenes with detections best first. Raises like `evaluate`."""
    scenes = [_checked(truth, found, labels) for truth, found in pairs]
    if not any((~truth.difficult).any() for truth, _ in scenes):
        raise DatasetError(
            f"nothing to evaluate: no labelled face that counts (pictures: {len(scenes)})",
            "check the val list and that its annotations have objects that are not difficult",
        )
    return scenes


def _class_evaluation(
    label: str, own: Sequence[Scene], ranking: Ranking, threshold: float, answers: Sequence[Scene]
) -> ClassEvaluation:
    hits, false_alarms, misses = rank_voc(answers).counts(0.0)
    return ClassEvaluation(
        label=label,
        truths=ranking.truths,
        difficult=sum(int((truth.difficult & (truth.class_ids != ANY_CLASS)).sum()) for truth, _ in own),
        ap50=integral_ap(ranking) if ranking.truths else None,
        ap50_95=_mean(map(coco_ap, rank_coco(own))) if ranking.truths else None,
        threshold=threshold,
        true_positives=hits,
        false_positives=false_alarms,
        misses=misses,
        ranking=ranking,
    )


def _checked(truth: GroundTruth, found: Detections, labels: Sequence[str]) -> Scene:
    """The scene with detections best first; a model's bug is reported here, not hidden in a low AP."""
    if _beyond(truth.class_ids[truth.class_ids != ANY_CLASS], labels):
        raise DatasetError(
            f"a face has class id {truth.class_ids.max()}, but there are {len(labels)} labels",
            "run `maskdet prepare` again: the label list is older than the annotations",
        )
    if _beyond(found.class_ids, labels):
        raise BundleError(
            f"the model returned class id {found.class_ids.max()}, but has {len(labels)} labels",
            "export the model again with the label list that it was trained on",
        )
    if not (np.isfinite(found.scores).all() and np.isfinite(found.boxes).all()):
        raise BundleError(
            "the model returned scores or boxes that are not finite",
            "its training diverged: train again with a lower train.learning_rate",
        )
    return truth, found.select(np.argsort(-found.scores, kind="stable"))


def _beyond(class_ids: IntArray, labels: Sequence[str]) -> bool:
    return bool(len(class_ids)) and not 0 <= class_ids.min() <= class_ids.max() < len(labels)


def _as_one_class(scene: Scene) -> Scene:
    truth, found = scene
    return (
        GroundTruth(truth.boxes, np.zeros_like(truth.class_ids), truth.difficult),
        Detections(found.boxes, found.scores, np.zeros_like(found.class_ids)),
    )


def _mean(values: Iterable[float | None]) -> float:
    present = [value for value in values if value is not None]
    return sum(present) / len(present)


def _notes(classes: Sequence[ClassEvaluation]) -> Iterable[str]:
    for each in classes:
        if each.truths == 0:
            aside = f" but {each.difficult} difficult" if each.difficult else ""
            yield f"val has no {each.label}{aside}: it has no AP and is left out of the mean"
