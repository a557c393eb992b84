"""Our figures against the tools they have to equal: ppdet's VOC metric and pycocotools."""

from __future__ import annotations

import contextlib
import io
import warnings

import numpy as np
import pytest

from maskdet.evaluation.evaluator import evaluate
from maskdet.types import Detections

LABELS = ("with_mask", "without_mask", "mask_weared_incorrect")
SEEDS = range(6)
FIELDS = ("boxes", "scores", "class_ids")


def _ppdet_map(scenes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ppdet's own imports are full of deprecated names
        map_utils = pytest.importorskip("ppdet.metrics.map_utils", exc_type=ImportError)
        metric = map_utils.DetectionMAP(
            class_num=len(LABELS),
            overlap_thresh=0.5,
            map_type="integral",
            is_bbox_normalized=False,
            evaluate_difficult=False,
            catid2name=dict(enumerate(LABELS)),
        )
        for truth, found in scenes:
            metric.update(
                found.boxes.astype(np.float64),
                found.scores,
                found.class_ids,
                truth.boxes.astype(np.float64),
                truth.class_ids,
                truth.difficult.astype(np.int64),
            )
        metric.accumulate()
    return metric.get_map()


def _coco_ap(scenes):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        coco = pytest.importorskip("pycocotools.coco")
        cocoeval = pytest.importorskip("pycocotools.cocoeval")

        class IgnoringEval(cocoeval.COCOeval):
            # COCO can only ignore crowds, whose overlap is measured otherwise. This ignores plain faces.
            def _prepare(self):
                super()._prepare()
                for faces in self._gts.values():
                    for face in faces:
                        face["ignore"] = face["difficult"]

        truths = coco.COCO()
        truths.dataset = _coco_dataset(scenes)
        truths.createIndex()
        found = coco.COCO()
        found.dataset = {**truths.dataset, "annotations": _coco_detections(scenes)}
        found.createIndex()
        judge = IgnoringEval(truths, found, "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats[0]


def _coco_box(box):
    left, top, right, bottom = (float(side) for side in box)
    width, height = right - left, bottom - top
    return {"bbox": [left, top, width, height], "area": width * height}


def _coco_dataset(scenes):
    faces = [
        {
            "image_id": picture,
            "category_id": int(class_id),
            "difficult": int(hard),
            "iscrowd": 0,
            **_coco_box(box),
        }
        for picture, (truth, _) in enumerate(scenes)
        for box, class_id, hard in zip(truth.boxes, truth.class_ids, truth.difficult, strict=True)
    ]
    return {
        "images": [{"id": picture} for picture in range(len(scenes))],
        "categories": [{"id": number, "name": label} for number, label in enumerate(LABELS)],
        "annotations": [{"id": number, "iscrowd": 0, **face} for number, face in enumerate(faces, start=1)],
    }


def _coco_detections(scenes):
    rows = [
        {"image_id": picture, "category_id": int(class_id), "score": float(score), **_coco_box(box)}
        for picture, (_, found) in enumerate(scenes)
        for box, score, class_id in zip(found.boxes, found.scores, found.class_ids, strict=True)
    ]
    return [{"id": number, **row} for number, row in enumerate(rows, start=1)]


scores_tied = pytest.mark.parametrize("tied", [False, True], ids=["distinct scores", "tied scores"])
share_difficult = pytest.mark.parametrize("difficult", [0.0, 0.3], ids=["all count", "some difficult"])


@scores_tied
@share_difficult
@pytest.mark.parametrize("seed", SEEDS)
def test_ap50_is_the_one_of_ppdet(make_scenes, seed, difficult, tied):
    scenes = make_scenes(seed, difficult=difficult, tied=tied)
    ours = evaluate(scenes, LABELS, thresholds="best-f1").ap50
    assert 0.1 < ours < 0.99
    assert ours == pytest.approx(_ppdet_map(scenes), abs=1e-9)


@scores_tied
@share_difficult
@pytest.mark.parametrize("seed", SEEDS)
def test_ap50_95_is_the_one_of_pycocotools(make_scenes, seed, difficult, tied):
    scenes = make_scenes(seed, difficult=difficult, tied=tied)
    ours = evaluate(scenes, LABELS, thresholds="best-f1").ap50_95
    assert 0.05 < ours < 0.99
    assert ours == pytest.approx(_coco_ap(scenes), abs=1e-9)


def test_more_than_a_hundred_detections_in_a_picture(make_scenes):
    scenes = make_scenes(0, pictures=120)
    crowd = [_merge([found for _, found in scenes[start : start + 60]]) for start in (0, 60)]
    assert all((found.class_ids == number).sum() > 100 for found in crowd for number in range(len(LABELS)))
    crowded = [(truth, found) for (truth, _), found in zip(scenes[::60], crowd, strict=True)]
    judged = evaluate(crowded, LABELS, thresholds=0.5)
    assert judged.ap50 == pytest.approx(_ppdet_map(crowded), abs=1e-9)
    assert judged.ap50_95 == pytest.approx(_coco_ap(crowded), abs=1e-9)


def _merge(parts):
    merged = Detections(*(np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS))
    return merged.select(np.argsort(-merged.scores, kind="stable"))
