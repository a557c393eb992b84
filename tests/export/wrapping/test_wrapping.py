"""Real exports by PaddleDetection in each of its forms become bundles that give the same answers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from ppdet_forms import FORMS, LABELS

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_picture
from maskdet.errors import ExportError, UsageError
from maskdet.export.wrapping.forms import Form
from maskdet.export.wrapping.sources import foreign_model, is_foreign_folder
from maskdet.export.wrapping.wrapping import WrapJob, wrap
from maskdet.types import Detections

pytestmark = pytest.mark.slow

BOX, SCORE = 0.05, 1e-3
"""Pixels of the picture, and score."""
KEPT = 100
"""Detections of a picture, at most: which of two near-equal ones is the last is chance."""


@pytest.fixture(scope="session")
def wrapped(exports, tmp_path_factory):
    """The bundle and the summary of each form."""
    folder = tmp_path_factory.mktemp("wrapped")
    made = {}
    for form in FORMS:
        out = folder / f"{form.replace('/', '_')}.onnx"
        job = WrapJob(foreign_model(exports.folder / form / "model.onnx"), form, pictures=exports.pictures[0])
        made[form] = (out, wrap(job, out))
    return made


def near(some: Detections, others: Detections) -> int:
    """How many have a partner of the same class within BOX and SCORE."""
    close = np.abs(some.boxes[:, None] - others.boxes[None]).max(axis=2) <= BOX
    close &= np.abs(some.scores[:, None] - others.scores[None]) <= SCORE
    close &= some.class_ids[:, None] == others.class_ids[None]
    return int(close.any(axis=1).sum())


@pytest.mark.parametrize("form", FORMS)
def test_finds_what_paddledetection_finds(exports, wrapped, form):
    """All of a trained network; of the hundreds of a random one, some overlap by just NMS's threshold."""
    year, kind = form.split("/")
    detector = Detector(load_bundle(wrapped[form][0]), threads=1)
    compared, matched = 0, 0
    for number, path in enumerate(exports.pictures):
        picture = read_picture(path)
        theirs = exports.found(year, "own" if kind == "nms" else "deployed", number)
        height, width = picture.shape[:2]
        clipped = np.clip(theirs.boxes, 0, [width, height, width, height]).astype(np.float32)
        theirs = Detections(clipped, theirs.scores, theirs.class_ids)
        least = 0.025 if kind == "nms" else 0.3
        if len(theirs) == KEPT:
            least = float(theirs.scores.min())
        ours = detector.detect(picture)
        for some, others in ((ours, theirs), (theirs, ours)):
            counting = some.select(some.scores >= least + SCORE)
            compared, matched = compared + len(counting), matched + near(counting, others)
    assert compared > 4
    assert matched >= (1 if year == "2021" else 0.98) * compared


@pytest.mark.parametrize("form", FORMS)
def test_the_form_is_recognised_and_proved(wrapped, form):
    summary = wrapped[form][1]
    kinds = {"nms": Form.NMS, "boxes": Form.BOXES, "heads": Form.HEADS}
    assert summary.export.form is kinds[form.split("/")[1]]
    assert summary.proof.score_difference <= SCORE
    assert summary.proof.box_difference <= BOX
    assert summary.proof.matched == summary.proof.detections
    assert summary.proof.anchors == 2125


@pytest.mark.parametrize("form", FORMS)
def test_any_batch_is_taken(exports, wrapped, form):
    """Also where the export has a batch of 1 written into it."""
    detector = Detector(load_bundle(wrapped[form][0]), threads=1)
    pictures = [read_picture(path) for path in exports.pictures[:3]]
    for picture, found in zip(pictures, detector.detect_batch(pictures), strict=True):
        alone = detector.detect(picture)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=BOX)
        np.testing.assert_allclose(found.scores, alone.scores, atol=SCORE)


def test_the_bundle_says_what_infer_cfg_says(wrapped):
    meta = load_bundle(wrapped["2021/nms"][0]).meta
    assert meta.labels == LABELS
    assert meta.roles == dict(zip(LABELS, ("masked", "bare", "worn-wrong"), strict=True))
    assert meta.thresholds == dict.fromkeys(LABELS, 0.5)
    assert (meta.input_size, meta.interpolation, meta.licence) == ((320, 320), "cubic", "not stated")
    # Of the graph: infer_cfg.yml says 0.3 and 0.5 whatever the graph does.
    assert meta.nms.score_threshold == pytest.approx(0.025)
    assert meta.nms.iou_threshold == pytest.approx(0.6)
    assert load_bundle(wrapped["2021/heads"][0]).meta.nms.iou_threshold == 0.5


def test_an_im_shape_input_is_fixed(exports, tmp_path):
    """The first releases clipped boxes to it inside the graph."""
    folder = copied(exports, "2021/nms", tmp_path)
    model = onnx.load(folder / "model.onnx")
    node = next(node for node in model.graph.node if node.op_type == "NonMaxSuppression")
    at = list(model.graph.node).index(node)
    for extra in (
        helper.make_node("ReduceMax", ["im_shape"], ["edge"], keepdims=0),
        helper.make_node("Min", [node.input[0], "edge"], ["inside"]),
    ):
        model.graph.node.insert(at, extra)
        at += 1
    node.input[0] = "inside"
    model.graph.input.append(helper.make_tensor_value_info("im_shape", TensorProto.FLOAT, [None, 2]))
    onnx.save(model, folder / "model.onnx")
    summary = wrap(WrapJob(foreign_model(folder), "x"), tmp_path / "out.onnx")
    assert summary.export.side_inputs == ("scale_factor", "im_shape")
    assert load_bundle(tmp_path / "out.onnx").session.inputs.keys() == {"image"}


def test_a_folder_in_paddles_own_format(exports, wrapped, tmp_path, workers_import_maskdet):
    folder = copied(exports, "2021/heads", tmp_path)
    (folder / "model.onnx").unlink()
    assert is_foreign_folder(folder)
    wrap(WrapJob(foreign_model(folder), "x"), tmp_path / "out.onnx")
    picture = read_picture(exports.pictures[0])
    one, other = (
        Detector(load_bundle(path), threads=1).detect(picture)
        for path in (tmp_path / "out.onnx", wrapped["2021/heads"][0])
    )
    assert len(one) == len(other)
    assert near(one, other) == len(one)


def test_paddle_is_asked_for_where_it_is_missing(exports, tmp_path):
    folder = copied(exports, "2022/heads", tmp_path)
    (folder / "model.onnx").unlink()
    (folder / "model.pdiparams").unlink()
    with pytest.raises(ExportError, match=r"model\.pdiparams is missing"):
        wrap(WrapJob(foreign_model(folder), "x"), tmp_path / "out.onnx")


def copied(exports, form: str, target: Path) -> Path:
    return Path(shutil.copytree(exports.folder / form, target / "export"))


def change(folder: Path, old: str, new: str) -> WrapJob:
    path = folder / "infer_cfg.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return WrapJob(foreign_model(folder), "x")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("keep_ratio: false", "keep_ratio: true", "keep_ratio: true"),
        ("type: Permute", "type: WarpAffine", "the step WarpAffine"),
        ("type: Permute", "to_bgr: true\n  type: Permute", "to_bgr"),
        ("- 320\n  - 320", "- 416\n  - 416", "does not run on an image of 1x3x416x416"),
        ("Preprocess:", "Steps:", "has no list Preprocess"),
    ],
)
def test_what_no_bundle_can_do_is_refused(exports, tmp_path, old, new, said):
    job = change(copied(exports, "2021/nms", tmp_path), old, new)
    with pytest.raises(ExportError, match=said) as caught:
        wrap(job, tmp_path / "out.onnx")
    assert caught.value.hint
    assert not (tmp_path / "out.onnx").exists()


def test_another_interpolation_is_kept(exports, tmp_path):
    wrap(change(copied(exports, "2021/nms", tmp_path), "interp: 2", "interp: 1"), tmp_path / "out.onnx")
    assert load_bundle(tmp_path / "out.onnx").meta.interpolation == "linear"


def test_a_mean_of_another_scale_is_the_same(exports, tmp_path):
    folder = copied(exports, "2021/nms", tmp_path)
    for old, new in {
        "is_scale: true": "is_scale: false",
        "- 0.485": "- 123.675",
        "- 0.229": "- 58.395",
    }.items():
        job = change(folder, old, new)
    for old, new in {"- 0.456": "- 116.28", "- 0.224": "- 57.12", "- 0.406": "- 103.53"}.items():
        job = change(folder, old, new)
    job = change(folder, "- 0.225", "- 57.375")
    meta = wrap(job, tmp_path / "out.onnx").meta
    assert meta.mean == pytest.approx((0.485, 0.456, 0.406))
    assert meta.std == pytest.approx((0.229, 0.224, 0.225))


def test_another_number_of_classes_names_the_option(exports, tmp_path):
    job = replace(WrapJob(foreign_model(exports.folder / "2021/nms"), "x"), labels=("mask", "no_mask"))
    with pytest.raises(UsageError, match=r"the model has 3 classes, --labels names 2") as caught:
        wrap(job, tmp_path / "out.onnx")
    assert "--labels" in caught.value.hint


def test_names_that_do_not_tell_are_a_question(exports, tmp_path):
    source = foreign_model(exports.folder / "2021/nms")
    job = WrapJob(source, "x", labels=("class_a", "no_mask", "visor"))
    with pytest.raises(UsageError, match=r"names do not tell: 'class_a', 'visor'") as caught:
        wrap(job, tmp_path / "out.onnx")
    assert "--role class_a=masked" in caught.value.hint
    answered = replace(job, roles={"class_a": "masked", "visor": None})
    assert wrap(answered, tmp_path / "out.onnx").meta.roles == {"class_a": "masked", "no_mask": "bare"}


def test_a_graph_of_another_answer_is_not_written(exports, tmp_path, monkeypatch):
    """A mistake in the rewriting itself."""
    monkeypatch.setattr("maskdet.export.wrapping.decoding._OUTWARD", (-1.0, -1.0, 1.0, 1.01))
    with pytest.raises(ExportError, match="disagree"):
        wrap(WrapJob(foreign_model(exports.folder / "2021/heads"), "x"), tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda graph: setattr(graph.input[1], "name", "im_info"), "has the input im_info beside image"),
        (lambda graph: setattr(graph.node[0], "domain", "com.tensorrt"), "operators that are not ONNX's own"),
        (lambda graph: graph.output.pop(), "outputs are"),
    ],
)
def test_a_graph_that_is_no_picodet_is_refused(exports, tmp_path, spoil, said):
    form = "2021/boxes" if said == "outputs are" else "2021/nms"
    folder = copied(exports, form, tmp_path)
    model = onnx.load(folder / "model.onnx")
    spoil(model.graph)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ExportError, match=said) as caught:
        wrap(WrapJob(foreign_model(folder), "x"), tmp_path / "out.onnx")
    assert "paddle2onnx" in caught.value.hint


def test_a_bundle_and_an_empty_file_are_told_apart(exports, wrapped, tmp_path):
    config = exports.folder / "2021/nms" / "infer_cfg.yml"
    with pytest.raises(ExportError, match="is a bundle already"):
        wrap(WrapJob(foreign_model(wrapped["2021/nms"][0], config), "x"), tmp_path / "out.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(ExportError, match="holds no graph"):
        wrap(WrapJob(foreign_model(tmp_path / "empty.onnx", config), "x"), tmp_path / "out.onnx")
