"""`maskdet gates`: table, JSON, report and exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import write_tiny_bundle

from maskdet.errors import BundleError, GateRefusal
from maskdet.registry.registry import Registry

LABELS = ("with_mask", "without_mask")
RULES = """
gates:
  counts: {pictures: 1, faces: 1, class_faces: 1, bare_faces: 1}
  floors: {judge: "off"}
  limits: {bare_passed_judge: value}
  not_worse: {p95_ratio: null}
  slices: []
  parity: false
"""


@pytest.fixture
def models(project: Path) -> Path:
    """Rules for the project's eight pictures, and two equal models."""
    with (project / "pipeline.yml").open("a") as file:
        file.write(RULES)
    for name in ("new", "old"):
        write_tiny_bundle(project / f"{name}.onnx", labels=LABELS)
    return project


def test_an_equal_model_passes_and_the_report_is_written(models: Path, invoke) -> None:
    said = invoke("gates", "--challenger", "new.onnx", "--champion", "old.onnx").output
    assert "new.onnx passes 12 gates against old.onnx." in said
    assert "not_worse.class_recall.without_mask" in said
    report = json.loads((models / "runs/demo/gates/gates.json").read_text())
    assert report["passed"] is True
    assert report["champion"]["lineage_known"] is False
    assert "**new.onnx passes 12 gates" in (models / "runs/demo/gates/gates.md").read_text()


def test_json_goes_to_standard_output_alone(models: Path, invoke) -> None:
    result = invoke("gates", "--challenger", "new.onnx", "--champion", "none", "--json")
    report = json.loads(result.stdout)
    assert {rule["verdict"] for rule in report["rules"]} == {"pass", "no champion"}


def test_a_refusal_exits_with_11_and_leaves_the_report(models: Path, maskdet) -> None:
    done = maskdet(
        "gates",
        *("--challenger", "new.onnx", "--champion", "none", "--set", "gates.counts.pictures=10"),
        *("--explain", "why"),
    )
    assert done.returncode == 11
    assert "error: new.onnx is refused by" in done.stderr
    assert "pictures, 10 are needed (gates.counts.pictures)" in done.stderr
    assert json.loads((models / "runs/demo/gates/gates.json").read_text())["passed"] is False
    assert (models / "why/deciding.json").is_file()


def test_a_champion_of_other_classes_is_a_refusal(models: Path, invoke) -> None:
    write_tiny_bundle(models / "masked.onnx", labels=LABELS[:1])
    write_tiny_bundle(models / "bare.onnx", labels=LABELS[1:])
    with pytest.raises(GateRefusal, match=r"not measured, the models have no class in common"):
        invoke("gates", "--challenger", "masked.onnx", "--champion", "bare.onnx")
    assert json.loads((models / "runs/demo/gates/gates.json").read_text())["passed"] is False


def test_a_champion_that_is_missing_refuses_and_a_damaged_one_is_an_error(models: Path, invoke) -> None:
    with pytest.raises(GateRefusal, match=r"not measured, the champion .*gone\.onnx is missing"):
        invoke("gates", "--challenger", "new.onnx", "--set", "gates.champion=gone.onnx")
    (models / "old.onnx").write_bytes(b"no model")
    with pytest.raises(BundleError, match=r"old\.onnx"):
        invoke("gates", "--challenger", "new.onnx", "--champion", "old.onnx")


def test_the_registrys_champion_is_the_default(models: Path, invoke) -> None:
    assert "note: no champion yet: models:demo@champion is not in the registry" in (
        invoke("gates", "--challenger", "new.onnx").output
    )
    Registry(models / "models").register("demo", models / "old.onnx")
    Registry(models / "models").set_alias("demo", "champion", 1, why="the first")
    said = invoke("gates", "--challenger", "new.onnx").output
    assert "new.onnx passes 12 gates against models:demo@champion." in said
    with pytest.raises(GateRefusal, match="the champion models:demo@best is missing: "):
        invoke("gates", "--challenger", "new.onnx", "--champion", "models:demo@best")
