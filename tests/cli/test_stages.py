"""The verbs of the pipeline on a small drawn data set, up to where Paddle begins."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support import write_tiny_bundle

from maskdet.dataset.manifest import load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.errors import DatasetError, PipelineFileError, StageError, UsageError
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging.bundles import judge_bundle
from maskdet.pipeline.file.load import load_pipeline
from maskdet.pipeline.running.cache import StageRecord, inputs_of, written
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES
from maskdet.pipeline.stages.eval import STAGE as EVAL
from maskdet.pipeline.stages.eval import write_evaluation
from maskdet.pipeline.stages.export import STAGE as EXPORT
from maskdet.pipeline.stages.train import STAGE as TRAIN
from maskdet.training.launch.failures import DiskFull


def states(output: str) -> dict[str, str]:
    found = re.findall(
        r"^(\w+)\s+(up to date|ran|would run|may run|skipped|failed|not reached)\b", output, re.MULTILINE
    )
    return dict(found)


def pretend_trained(project: Path) -> None:
    """Put what train, eval and export would write in place, recorded as the runner records it."""
    context = Context(load_pipeline(Path("pipeline.yml")), project / "runs" / "demo")
    for stage in (TRAIN, EVAL, EXPORT):
        context.path(stage.name).mkdir()
    context.path(TRAIN.name, "best.pdparams").write_bytes(b"weights")
    manifest = load_manifest(context.path("prepare", "manifest.json"))
    bundle = load_bundle(write_tiny_bundle(context.path(EXPORT.name, "model.onnx"), labels=manifest.labels))
    write_evaluation(
        judge_bundle(bundle, manifest, EvalSettings())[0], manifest.files, context.path(EVAL.name)
    )
    for stage in (TRAIN, EVAL, EXPORT):
        record = StageRecord(
            inputs_of(context, stage), True, written(context, stage), 1.0, f"{stage.name} figure"
        )
        record.write(context, stage)


def test_prepare_writes_its_artefacts_and_shows_notices(project, invoke):
    (project / "faces" / "Annotations" / "notes.txt").write_text("x")
    result = invoke("prepare")
    assert states(result.output) == {"prepare": "ran"}
    assert "notice: Annotations/notes.txt" in result.output
    assert "8 pictures: 6 train, 2 val" in result.output
    folder = project / "runs" / "demo" / "prepare"
    assert {"train.txt", "val.txt", "label_list.txt", "manifest.json", "report.md"} <= {
        path.name for path in folder.iterdir()
    }
    assert states(invoke("prepare").output) == {"prepare": "up to date"}
    assert states(invoke("prepare", "--force").output) == {"prepare": "ran"}


def test_who_says_what_a_class_means_trains_nothing_again(project, invoke):
    path = project / "faces" / "Annotations" / "face000.xml"
    path.write_text(path.read_text().replace("with_mask", "visor"))
    invoke("config")
    pretend_trained(project)
    said = "data.roles={visor: bare}"
    assert states(invoke("config", "--set", said).output) == {"prepare": "ran", "config": "up to date"}
    assert states(invoke("run", "--dry-run", "--set", said).output) == {
        "prepare": "up to date",
        "config": "up to date",
        "train": "up to date",
        "eval": "would run",
        "export": "would run",
    }


def test_a_start_that_knows_classes_is_another_where_a_class_means_another(project, invoke):
    path = project / "faces" / "Annotations" / "face000.xml"
    path.write_text(path.read_text().replace("with_mask", "visor"))
    start = ("--set", "model.pretrained=default", "--set", "model.variant=picodet_s_416_esnet")
    context = Context(load_pipeline(Path("pipeline.yml"), [*start[1::2]]), project / "runs" / "demo")
    invoke("config", *start)
    assert "data.roles" not in inputs_of(context, TRAIN)
    invoke("config", *start, "--set", "data.roles={visor: bare, without_mask: bare}")
    assert inputs_of(context, TRAIN)["data.roles"] == {"visor": "bare"}


def test_a_bad_data_set_stops_prepare_and_leaves_nothing(project, maskdet):
    (project / "faces" / "Annotations" / "face001.xml").write_text("<annotation>")
    done = maskdet("prepare")
    assert done.returncode == 3
    assert "Annotations/face001.xml" in done.stderr
    assert states(done.stdout) == {"prepare": "failed"}
    assert not (project / "runs" / "demo" / "prepare").exists()


def test_skip_bad_drops_what_is_bad_and_says_so(project, invoke):
    (project / "faces" / "Annotations" / "face001.xml").write_text("<annotation>")
    with pytest.raises(DatasetError):
        invoke("prepare")
    result = invoke("prepare", "--skip-bad")
    assert "dropped: Annotations/face001.xml" in result.output
    assert "7 pictures" in result.output
    assert "faults dropped: 1" in result.output


def test_runs_dir_and_set_choose_where_results_go(project, invoke):
    invoke("prepare", "--runs-dir", "elsewhere", "--set", "name=other")
    assert (project / "elsewhere" / "other" / "prepare" / "manifest.json").is_file()
    assert not (project / "runs").exists()


def test_config_brings_prepare_along_and_explains(project, invoke):
    assert states(invoke("config").output) == {"prepare": "ran", "config": "ran"}
    assert (project / "runs" / "demo" / "config" / "picodet.yml").is_file()
    explained = invoke("config", "--explain", "LearningRate.base_lr").output
    assert "0.0025" in explained
    assert "train.batch_size" in explained
    assert states(explained) == {}
    with pytest.raises(UsageError, match="epoch"):
        invoke("config", "--explain", "epochh")


def test_a_setting_of_training_reruns_config_but_not_prepare(project, invoke):
    invoke("config")
    result = invoke("config", "--set", "train.epochs=2")
    assert states(result.output) == {"prepare": "up to date", "config": "ran"}
    assert "train.epochs 30 → 2" in result.output


@pytest.mark.parametrize(
    "override", ["serve.port=1", "train.device=cpu", "train.workers=2", "eval.batch_size=2"]
)
def test_what_does_not_change_results_reruns_nothing(project, invoke, override):
    invoke("config")
    pretend_trained(project)
    assert set(states(invoke("run", "--dry-run", "--set", override).output).values()) == {"up to date"}


@pytest.mark.parametrize(
    ("override", "first"),
    [
        ("data.split.seed=1", "prepare"),
        ("train.epochs=2", "config"),
        ("eval.threshold=0.5", "eval"),
        ("export.parity_pictures=3", "export"),
    ],
)
def test_a_setting_begins_at_its_stage(project, invoke, override, first):
    invoke("config")
    pretend_trained(project)
    names = [stage.name for stage in STAGES]
    found = states(invoke("run", "--dry-run", "--set", override).output)
    assert [found[name] for name in names[: names.index(first)]] == ["up to date"] * names.index(first)
    assert found[first] == "would run"


def test_touching_the_data_reruns_prepare_only(project, invoke):
    invoke("config")
    pretend_trained(project)
    picture = project / "faces" / "JPEGImages" / "face000.jpg"
    picture.write_bytes(picture.read_bytes())
    assert states(invoke("run").output) == {
        "prepare": "ran",
        "config": "up to date",
        "train": "up to date",
        "eval": "up to date",
        "export": "up to date",
    }


def test_a_moved_project_does_not_train_again(project, invoke, monkeypatch, tmp_path_factory):
    invoke("config")
    pretend_trained(project)
    moved = tmp_path_factory.mktemp("moved") / "project"
    project.rename(moved)
    monkeypatch.chdir(moved)
    assert states(invoke("run").output) == {
        "prepare": "up to date",
        "config": "ran",
        "train": "up to date",
        "eval": "up to date",
        "export": "up to date",
    }


def test_nothing_to_do_is_said_without_heavy_imports(project, invoke, heavy_after):
    invoke("config")
    pretend_trained(project)
    result = invoke("run", "pipeline.yml")
    assert "everything is up to date" in result.output
    assert "export figure" in result.output
    report = project / "runs" / "demo" / "report.md"
    before = report.stat().st_mtime_ns
    assert "runs/demo/report.md" in invoke("run").output
    assert report.stat().st_mtime_ns == before
    assert not heavy_after("run")


def test_an_export_without_room_says_how_much_is_missing(project, invoke, monkeypatch):
    invoke("config")
    pretend_trained(project)
    monkeypatch.setattr("maskdet.training.launch.disk_space.disk_free", lambda _folder: 10)
    with pytest.raises(DiskFull, match=r"runs/demo/.*: the disk is full; 0\.0 MB \(35 bytes\)") as caught:
        invoke("export", "--force")
    assert "free some space and run the command again" in caught.value.hint


def test_a_dry_run_writes_nothing(project, invoke):
    result = invoke("run", "--dry-run")
    assert states(result.output) == dict.fromkeys(
        ["prepare", "config", "train", "eval", "export"], "would run"
    )
    assert "nothing was written" in result.output
    assert not (project / "runs").exists()


def test_to_stops_and_from_takes_the_rest_as_it_is(project, invoke):
    assert states(invoke("run", "--to", "prepare").output) == {"prepare": "ran"}
    (project / "faces" / "JPEGImages" / "face000.jpg").touch()
    found = states(invoke("run", "--from", "config", "--to", "config").output)
    assert found == {"prepare": "skipped", "config": "ran"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["run", "--from", "trian"], UsageError),
        (["run", "pipeline.yml", "-c", "other.yml"], UsageError),
        (["run", "--set", "train.epoch=1"], PipelineFileError),
        (["train", "--device", "cuda"], PipelineFileError),
        (["export", "--nms", "inside"], PipelineFileError),
        (["eval", "--model", "missing.onnx"], UsageError),
        (["eval", "--model", "pipeline.yml"], UsageError),
        (["predict", "faces"], StageError),
        (["predict", "faces", "--model", "missing.onnx"], UsageError),
        (["serve"], StageError),
    ],
)
def test_mistakes(project, invoke, arguments, error):
    with pytest.raises(error):
        invoke(*arguments)


@pytest.mark.parametrize("verb", ["eval", "export"])
def test_an_untrained_model_is_not_trained_on_the_way(project, maskdet, verb):
    done = maskdet(verb)
    assert done.returncode == 9
    assert "maskdet train" in done.stderr
    assert not (project / "runs" / "demo" / "train").exists()


def write_batch_size(project: Path, size: int) -> None:
    file = project / "pipeline.yml"
    file.write_text(file.read_text().replace("batch_size: 2", f"batch_size: {size}"))


def test_a_command_that_would_fail_again_is_not_proposed(project, maskdet):
    done = maskdet("run", "--set", "train.batch_size=99")
    assert done.returncode == 2
    assert "train.batch_size" in done.stderr
    assert "resumes from here" not in done.stderr


@pytest.mark.parametrize("key", ["eval.threshold", "gates.floors.class_ap50", "gates.floors.class_recall"])
def test_a_label_that_a_later_stage_needs_is_checked_before_training(project, maskdet, key):
    done = maskdet("run", "--set", f"{key}={{with_maks: 0.5}}", "--set", "model.pretrained=none")
    assert done.returncode == 2
    assert states(done.stdout)["train"] == "failed"
    assert f"{key}: the " in done.stderr
    assert "write with_mask" in done.stderr


def test_a_failed_run_prints_the_command_that_goes_on(project, maskdet):
    write_batch_size(project, 99)
    done = maskdet("run", "--set", "train.epochs=2", "--runs-dir", "out dir")
    assert done.returncode == 2
    assert states(done.stdout) == {
        "prepare": "ran",
        "config": "failed",
        "train": "not reached",
        "eval": "not reached",
        "export": "not reached",
    }
    assert "`maskdet run --set train.epochs=2 --runs-dir 'out dir'` resumes from here" in done.stderr
    assert "\x1b" not in done.stdout
    assert "batch_size" in (project / "out dir" / "demo" / "report.md").read_text()


def test_records_are_readable_and_small(project, invoke):
    invoke("prepare")
    record = json.loads((project / "runs" / "demo" / ".stages" / "prepare.json").read_text())
    assert record["inputs"]["data.split.ratio"] == "4:1"
    assert record["outputs"]["manifest.json"] > 0
    assert len(record["fingerprint"]) == 64


def test_eval_measures_robustness_on_some_of_val(project, invoke):
    write_tiny_bundle(project / "tiny.onnx", labels=("with_mask", "without_mask"))
    result = invoke("eval", "--model", "tiny.onnx", "--robustness-pictures", "1")
    folder = project / "runs" / "demo" / "eval-tiny"
    told = json.loads((folder / "metrics.json").read_text())["robustness"]
    assert told["pictures"] == 1
    assert len(told["corruptions"]) == 12
    assert all(len(strengths) == 3 for strengths in told["corruptions"].values())
    assert "AP50 under 36 corruptions" in result.output
    assert (folder / "robustness.png").is_file()


def test_robustness_is_that_of_the_plain_look(project, invoke):
    with pytest.raises(UsageError, match="plain look"):
        invoke("eval", "--model", "default", "--robustness", "--tile")
