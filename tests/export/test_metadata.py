"""Metadata are exchanged without touching the rest of an ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from sightings import LABELS, picture
from support import paint, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.settings import METADATA_KEY
from maskdet.drift.profile import take_profile
from maskdet.errors import BundleError
from maskdet.export.metadata import with_meta

PROFILE = take_profile([picture()] * 3, LABELS)


def test_only_the_metadata_change(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx", labels=LABELS))
    meta = bundle.meta.model_copy(update={"profile": PROFILE})
    other = tmp_path / "other.onnx"
    other.write_bytes(with_meta(with_meta(bundle.model, meta), meta))

    found, before, after = load_bundle(other), onnx.load_model_from_string(bundle.model), onnx.load(other)

    assert found.meta == meta
    assert [entry.key for entry in after.metadata_props] == [METADATA_KEY]
    assert after.graph.SerializeToString() == before.graph.SerializeToString()
    del before.metadata_props[:], after.metadata_props[:]
    assert after == before
    scene = paint({(1, 2): "with_mask"})
    one, two = (Detector(each, threads=1).detect(scene) for each in (bundle, found))
    assert np.array_equal(one.scores, two.scores)


def test_the_metadata_of_other_tools_stay(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx", labels=LABELS))
    model = onnx.load_model_from_string(bundle.model)
    helper.set_model_props(model, {"author": "x" * 300, METADATA_KEY: "{}"})

    again = onnx.load_model_from_string(with_meta(model.SerializeToString(), bundle.meta))

    assert {entry.key for entry in again.metadata_props} == {"author", METADATA_KEY}


@pytest.mark.parametrize("data", [b"\x0b", b"\x3a\xff", b"\xff" * 20, b"\x09\x01"])
def test_what_is_no_protobuf_is_refused(data: bytes, tmp_path: Path) -> None:
    meta = load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx")).meta
    with pytest.raises(BundleError, match="not an ONNX model"):
        with_meta(data, meta)


def test_a_profile_of_another_model_is_refused(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny_bundle(tmp_path / "tiny.onnx"))  # three labels, the profile has two
    path = tmp_path / "other.onnx"
    path.write_bytes(with_meta(bundle.model, bundle.meta.model_copy(update={"profile": PROFILE})))

    with pytest.raises(BundleError, match="profile is not that of a model with 3 labels"):
        load_bundle(path)
