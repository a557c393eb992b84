from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from trained import Trained

from maskdet.errors import StageError, TrainingError
from maskdet.training.state import STATE_NAME, TrainState, read_state
from maskdet.training.train import TrainJob, train


def write_state(folder: Path, state: TrainState) -> Path:
    """A state file without arrays, as the format of safetensors has it."""
    header = json.dumps({"__metadata__": state.to_header()}).encode()
    path = folder / STATE_NAME
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


UNFINISHED = TrainState(2, 5, False, 0.25, 1, 1, "abc")


def test_reads_back_what_was_written(tmp_path: Path) -> None:
    write_state(tmp_path, UNFINISHED)
    assert read_state(tmp_path) == UNFINISHED


def test_reads_the_file_of_a_real_training(trained: Trained) -> None:
    state = read_state(trained.job.out)
    assert state is not None
    assert (state.epoch, state.epochs, state.finished) == (3, 3, True)
    assert (state.best_epoch, state.best_ap50) == (trained.summary.best_epoch, trained.summary.best_ap50)
    assert state.fingerprint == trained.job.fingerprint()


def test_no_file_is_no_state(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    assert read_state(tmp_path / "absent") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 4) + b"\xff\xfe\x00\x01",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 34) + b'{"__metadata__": {"maskdet": "{}"}}',
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / STATE_NAME).write_bytes(content)
    with pytest.raises(TrainingError, match=STATE_NAME) as caught:
        read_state(tmp_path)
    assert "--force" in caught.value.hint


def never(event: object) -> None:
    raise AssertionError(f"no worker may start, but it reported {event}")


def job_in(trained: Trained, out: Path) -> TrainJob:
    job = trained.job
    return TrainJob(job.config, job.manifest, out, job.settings, job.model)


def test_an_unfinished_training_is_not_overwritten(trained: Trained, tmp_path: Path) -> None:
    path = write_state(tmp_path, UNFINISHED)
    before = path.read_bytes()
    with pytest.raises(StageError, match="unfinished training at epoch 2 of 5") as caught:
        train(job_in(trained, tmp_path), on_event=never)
    assert "--resume" in caught.value.hint
    assert "--force" in caught.value.hint
    assert path.read_bytes() == before


def test_another_recipe_is_not_resumed(trained: Trained, tmp_path: Path) -> None:
    write_state(tmp_path, UNFINISHED)
    with pytest.raises(StageError, match="another recipe, data set, seed or start"):
        train(job_in(trained, tmp_path), on_event=never, resume=True)


def test_a_finished_training_of_another_recipe_is_not_removed_by_a_resume(
    trained: Trained, tmp_path: Path
) -> None:
    path = write_state(tmp_path, replace(UNFINISHED, epoch=5, finished=True))
    with pytest.raises(StageError, match="holds a training of 5 epochs with another recipe"):
        train(job_in(trained, tmp_path), on_event=never, resume=True)
    assert path.exists()
