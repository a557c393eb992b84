"""Fingerprints: what makes a stage stale, what does not, and how the reason reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskdet.errors import StageError
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.running.cache import (
    StageRecord,
    describe_changes,
    inputs_of,
    read_record,
    why_stale,
    written,
)
from maskdet.pipeline.running.inputs import file_input, folder_signature, setting_inputs
from maskdet.pipeline.running.stage import Context, Stage
from maskdet.training.settings import TrainSettings


def never_run(context: Context, out: Path) -> str:
    raise AssertionError((context, out))


STAGE = Stage("train", lambda context: setting_inputs("train", context.pipeline.train), never_run)


def context_of(folder: Path, **train: object) -> Context:
    return Context(PipelineFile(name="demo", data={"root": folder}, train=TrainSettings(**train)), folder)


def record(context: Context, stage: Stage = STAGE, *, finished: bool = True) -> None:
    context.path(stage.name).mkdir(exist_ok=True)
    StageRecord(inputs_of(context, stage), finished, written(context, stage), 1.0, "figure").write(
        context, stage
    )


def stale(context: Context, stage: Stage = STAGE) -> str:
    return why_stale(context, stage, inputs_of(context, stage))


def test_a_recorded_stage_is_up_to_date_and_its_record_reads_back(tmp_path):
    context = context_of(tmp_path)
    assert stale(context) == "has not run"
    record(context)
    assert stale(context) == ""
    found = read_record(context, STAGE)
    assert found is not None
    assert (found.figure, found.seconds, found.finished) == ("figure", 1.0, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epochs": 2}, "train.epochs 30 → 2"),
        ({"learning_rate": 0.5}, "train.learning_rate auto → 0.5"),
        ({"python": Path("/p")}, "train.python unset → /p"),
        ({"epochs": 1, "seed": 2}, "train.epochs 30 → 1, train.seed 0 → 2"),
        ({"epochs": 1, "seed": 2, "patience": 3, "batch_size": 4, "workers": 2}, "2 more"),
    ],
)
def test_a_changed_setting_is_named_with_both_values(tmp_path, change, reason):
    record(context_of(tmp_path))
    assert reason in stale(context_of(tmp_path, **change))


def test_a_new_stage_version_is_a_reason(tmp_path):
    record(context_of(tmp_path))
    newer = Stage("train", STAGE.inputs, never_run, version=2)
    assert stale(context_of(tmp_path), newer) == "train code 1 → 2"


def test_unfinished_and_damaged_records_count_for_nothing(tmp_path):
    context = context_of(tmp_path)
    record(context, finished=False)
    assert stale(context) == "did not finish"
    (tmp_path / ".stages" / "train.json").write_text("{")
    assert stale(context) == "has not run"


def test_outputs_must_be_there_in_full(tmp_path):
    context = context_of(tmp_path)
    output = context.path("train", "deep", "best.bin")
    output.parent.mkdir(parents=True)
    output.write_bytes(b"1234")
    record(context)
    assert stale(context) == ""
    output.write_bytes(b"12")
    assert stale(context) == "train/deep/best.bin was changed"
    output.unlink()
    assert stale(context) == "train/deep/best.bin is missing"


def test_only_the_outputs_that_a_stage_keeps_count(tmp_path):
    context = context_of(tmp_path)
    stage = Stage("train", STAGE.inputs, never_run, keeps=("best.*",))
    context.path("train").mkdir()
    for name in ("best.bin", "last.bin"):
        context.path("train", name).write_bytes(b"1")
    record(context, stage)
    context.path("train", "last.bin").unlink()
    assert stale(context, stage) == ""


def test_files_count_by_content_not_by_time(tmp_path):
    context = context_of(tmp_path)
    manifest = context.path("prepare", "manifest.json")
    with pytest.raises(StageError, match="maskdet prepare"):
        file_input(context, "prepare", "manifest.json")
    manifest.parent.mkdir()
    manifest.write_text("a")
    before = file_input(context, "prepare", "manifest.json")
    os.utime(manifest, (1, 1))
    assert file_input(context, "prepare", "manifest.json") == before
    manifest.write_text("b")
    assert (
        describe_changes(before, file_input(context, "prepare", "manifest.json"))
        == "prepare/manifest.json changed"
    )


def test_a_folder_counts_by_names_sizes_and_times(tmp_path):
    folder = tmp_path / "JPEGImages"
    signatures = [folder_signature(folder)]
    folder.mkdir()
    signatures.append(folder_signature(folder))
    (folder / "a.jpg").write_bytes(b"1")
    signatures.append(folder_signature(folder))
    assert folder_signature(folder) == signatures[-1]
    os.utime(folder / "a.jpg", (1, 1))
    signatures.append(folder_signature(folder))
    (folder / "a.jpg").rename(folder / "b.jpg")
    signatures.append(folder_signature(folder))
    assert len(set(signatures)) == len(signatures)


def test_an_entry_that_leads_nowhere_hides_no_other(tmp_path):
    # Emacs locks a file that it edits with such a link.
    (tmp_path / ".#face.xml").symlink_to("user@host.1234")
    (tmp_path / "face.xml").write_text("a")
    signatures = [folder_signature(tmp_path)]
    (tmp_path / "face.xml").write_text("ab")
    signatures.append(folder_signature(tmp_path))
    (tmp_path / "mask.xml").write_text("c")
    signatures.append(folder_signature(tmp_path))
    (tmp_path / ".#face.xml").unlink()
    signatures.append(folder_signature(tmp_path))
    assert len(set(signatures)) == len(signatures)


def test_settings_are_flat_and_may_leave_some_out():
    flat = setting_inputs("train", TrainSettings(epochs=3), exclude=frozenset({"device"}))
    assert flat["train.epochs"] == 3
    assert "train.device" not in flat
