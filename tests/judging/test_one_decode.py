"""Whatever detects sees the same pixels of a large photograph: serve, predict, eval, parity, validation."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support import LABELS, write_tiny_bundle

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import decode, read_picture
from maskdet.detector.preprocess import resize
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.parity import parity_batch
from maskdet.judging.bundles import judge_bundle
from maskdet.prediction.predict import predict
from maskdet.serving.engine.served_model import PictureResult, ServedModel, Work
from maskdet.serving.settings import ServeSettings
from maskdet.system.files import sha256_file

SIDE = 1024


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx", thresholds=dict.fromkeys(LABELS, 0.0)))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """One photograph of fine noise: a full decode, resized, gives other colours than a reduced one."""
    draw = np.random.default_rng(3)
    noise = draw.integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
    # Green enough that every cell of the tiny model is a masked face of a middling score.
    noise[:, :, 1] = draw.integers(120, 256, (SIDE, SIDE))
    path = tmp_path / "large.jpg"
    path.write_bytes(cv2.imencode(".jpg", noise, (cv2.IMWRITE_JPEG_QUALITY, 95))[1].tobytes())
    face = ManifestObject(LABELS[0], (0, 0, SIDE / 8, SIDE / 8))
    picture = ManifestPicture(path.name, "", "val", SIDE, SIDE, sha256_file(path), (face,))
    return Manifest(LABELS, (picture,), roots=(ManifestRoot("", tmp_path),))


@pytest.fixture
def served(bundle: Bundle, tmp_path: Path, manifest: Manifest) -> PictureResult:
    model = ServedModel("tiny", bundle, ServeSettings(), cores=1)
    data = (tmp_path / manifest.pictures[0].picture).read_bytes()
    [result] = model.detect([model.prepare(Work(data, candidates=True))], alone=True)
    assert isinstance(result, PictureResult)
    return result


def test_the_photograph_tells_the_decodes_apart(
    bundle: Bundle, served: PictureResult, manifest: Manifest, tmp_path: Path
) -> None:
    full = Detector(bundle, threads=1).detect(decode((tmp_path / "large.jpg").read_bytes()))
    assert len(full) == len(served.candidates) == 64
    assert np.abs(full.scores - served.candidates.scores).max() > 1e-3


def test_eval_judges_what_is_served(
    bundle: Bundle, served: PictureResult, manifest: Manifest, tmp_path: Path
) -> None:
    judged, _ = judge_bundle(bundle, manifest, EvalSettings())
    for class_id, each in enumerate(judged.classes):
        own = served.candidates.select(served.candidates.class_ids == class_id)
        np.testing.assert_array_equal(each.ranking.scores, own.scores)


@pytest.mark.parametrize("formats", [["json"], ["json", "draw"]])
def test_predict_says_what_is_served_drawn_or_not(
    bundle: Bundle, served: PictureResult, manifest: Manifest, tmp_path: Path, formats: list[str]
) -> None:
    out = tmp_path / "out"
    predict(Detector(bundle, threads=1), [str(tmp_path / "large.jpg")], formats=formats, out=out)
    (picture,) = json.loads((out / "predictions.json").read_text(encoding="utf-8"))["pictures"]
    assert (picture["width"], picture["height"]) == (SIDE, SIDE)
    found = served.detections
    assert [each["score"] for each in picture["detections"]] == [round(s, 4) for s in found.scores.tolist()]
    assert [each["box"] for each in picture["detections"]] == [
        [round(edge, 2) for edge in box] for box in found.boxes.tolist()
    ]
    if "draw" in formats:
        height, width, _ = read_picture(next(out.rglob("*.jpg"))).shape
        assert min(height, width) >= SIDE, "people see what is decoded in full, or enlarged from it"


def test_parity_is_proved_on_what_is_served(bundle: Bundle, manifest: Manifest, tmp_path: Path) -> None:
    model = ServedModel("tiny", bundle, ServeSettings(), cores=1)
    prepared = model.prepare(Work((tmp_path / "large.jpg").read_bytes()))
    batch = parity_batch(manifest.paths("val"), 1, bundle.meta.input_size)
    np.testing.assert_array_equal(batch[0], prepared.tensor)
    full = resize(decode((tmp_path / "large.jpg").read_bytes()), bundle.meta.input_size)
    assert not np.array_equal(batch[0], full)
