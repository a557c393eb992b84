"""Which model `load` takes, and what it says where there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import LABELS

import maskdet
from maskdet.detector import shipped


def test_without_a_name_it_is_the_shipped_model() -> None:
    if not shipped.ships_model():
        pytest.skip("this build ships no default model")
    assert maskdet.load().path == maskdet.load("default").path == shipped.shipped_model()


def test_a_path_as_text_and_as_a_path(tiny: Path) -> None:
    for model in (tiny, str(tiny)):
        detector = maskdet.load(model)
        assert detector.path == tiny
        assert detector.labels == LABELS
        assert detector.thresholds == dict.fromkeys(LABELS, 0.5)
        assert detector.meta.name == "tiny"
        assert repr(detector) == f"<MaskDetector: tiny, tiny_grid; {', '.join(LABELS)}; on cpu>"


def test_a_results_folder_stands_for_what_it_exported(here: Path, tiny: Path) -> None:
    (here / "runs" / "faces" / "export").mkdir(parents=True)
    shutil.copy(tiny, "runs/faces/export/model.onnx")
    for folder in ("runs/faces", Path("runs", "faces", "export")):
        assert maskdet.load(folder).path == Path("runs/faces/export/model.onnx")


def test_a_threshold_holds_for_the_detector(tiny: Path) -> None:
    detector = maskdet.load(tiny, threshold={"with_mask": 0.3})
    assert detector.thresholds == {"with_mask": 0.3, "without_mask": 0.5, "mask_weared_incorrect": 0.5}
    assert set(maskdet.load(tiny, threshold=0.75).thresholds.values()) == {0.75}


def test_labels_that_break_the_rule_can_be_named(tiny: Path, photo: Path) -> None:
    assert maskdet.load(tiny)(photo).verdict == "violation"
    assert maskdet.load(tiny, violation_labels=["mask_weared_incorrect"])(photo).verdict == "ok"


@pytest.mark.parametrize(
    ("model", "options", "error", "what", "hint"),
    [
        ("none.onnx", {}, maskdet.UsageError, "none.onnx: no such model", "runs/NAME"),
        ("empty", {}, maskdet.StageError, "empty holds no exported model", "maskdet run"),
        ("text.onnx", {}, maskdet.BundleError, "text.onnx", "ONNX"),
        ("tiny.onnx", {"threads": 0}, maskdet.UsageError, "threads is 0", "None"),
        ("tiny.onnx", {"device": "tpu"}, maskdet.UsageError, "'tpu'", "cpu, gpu"),
        ("tiny.onnx", {"threshold": 1.5}, maskdet.UsageError, "1.5 is not between 0 and 1", "0.5"),
        ("tiny.onnx", {"threshold": {"mask": 0.5}}, maskdet.UsageError, "no label 'mask'", "with_mask"),
        ("tiny.onnx", {"violation_labels": ["bare"]}, maskdet.UsageError, "no label 'bare'", "with_mask"),
        ("tiny.onnx", {"violation_labels": "bare"}, maskdet.UsageError, "the string 'bare'", "=['bare']"),
        ("tiny.onnx", {"uncertain_band": -1}, maskdet.UsageError, "uncertain_band is -1", "between"),
    ],
)
def test_what_cannot_be_loaded_is_said_with_the_next_step(
    here: Path, tiny: Path, model: str, options: dict[str, object], error: type, what: str, hint: str
) -> None:
    (here / "empty").mkdir()
    (here / "text.onnx").write_text("no model")
    shutil.copy(tiny, "tiny.onnx")
    with pytest.raises(error, match=what) as caught:
        maskdet.load(model, **options)  # type: ignore[arg-type]
    assert isinstance(caught.value, maskdet.MaskdetError)
    assert hint in caught.value.hint
