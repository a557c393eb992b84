"""The pool finds in one pass over all pictures what the answer finds picture by picture."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.answer import answer
from maskdet.evaluation.confusion import confusion_matrix
from maskdet.evaluation.pool import NO_FACE, pool
from maskdet.types import Detections, GroundTruth


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("thresholds", [(0.5, 0.5, 0.5), (0.8, 0.2, 0.4), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
def test_answers_are_those_of_the_detector(make_scenes, seed, tied, thresholds):
    scenes = make_scenes(seed, tied=tied)
    scores = np.array(thresholds, np.float32)
    everything = pool(scenes)

    said = everything.found.select(everything.answers(scores))

    alone = [answer(found, scores) for _, found in scenes]
    np.testing.assert_array_equal(said.boxes, np.concatenate([one.boxes for one in alone]))
    np.testing.assert_array_equal(said.class_ids, np.concatenate([one.class_ids for one in alone]))


def test_a_floor_above_no_threshold_changes_no_answer(make_scenes):
    scenes = make_scenes(1)
    thresholds = np.array([0.6, 0.5, 0.7], np.float32)
    whole, upper = pool(scenes), pool(scenes, floor=0.5)
    assert len(upper.found) < len(whole.found)
    assert (upper.found.scores >= np.float32(0.5)).all()
    np.testing.assert_array_equal(
        upper.found.scores[upper.answers(thresholds)], whole.found.scores[whole.answers(thresholds)]
    )


def test_faces_and_detections_keep_their_picture(make_scenes):
    scenes = make_scenes(2)
    everything = pool(scenes)
    on_face = everything.nearest != NO_FACE
    assert on_face.any()
    faces = everything.face_pictures[everything.nearest[on_face]]
    np.testing.assert_array_equal(faces, everything.pictures[on_face])
    own = everything.own != NO_FACE
    np.testing.assert_array_equal(
        everything.face_classes[everything.own[own]], everything.found.class_ids[own]
    )


def test_false_alarms_of_single_detections_agree_with_the_confusion(make_scenes):
    scenes = [
        (truth, found.select(np.arange(len(found))[:1])) for truth, found in make_scenes(4, difficult=0.0)
    ]
    thresholds = np.full(3, 0.3, np.float32)
    everything = pool(scenes)
    alarms = everything.answers(thresholds) & (everything.nearest == NO_FACE)
    assert alarms.sum() == confusion_matrix(scenes, thresholds)[-1].sum() > 0


def test_pictures_without_anything_are_pooled():
    nothing = (
        GroundTruth(np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)),
        Detections.empty(),
    )
    empty = pool([nothing, nothing])
    assert empty.answers(np.zeros(2, np.float32)).tolist() == []


def test_a_detection_on_exactly_half_of_a_face_is_on_no_face():
    """Inclusive pixels: 10 x 10 of 10 x 20. AP counts it as a miss, so the figures at thresholds do too."""
    truth = GroundTruth(np.array([[0, 0, 9, 9]], np.float32), np.array([0]), np.array([False]))
    found = Detections(np.array([[0, 0, 9, 19]], np.float32), np.array([0.9], np.float32), np.array([0]))
    everything = pool([(truth, found)])
    assert everything.nearest.tolist() == everything.own.tolist() == [NO_FACE]
    assert len(everything.touching) == 0
