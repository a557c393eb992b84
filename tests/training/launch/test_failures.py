"""Trainings that run out of memory, of numbers, of pictures or of disk, for real."""

from __future__ import annotations

import errno
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from trained import DrawnSet, Trained, draw_faces, make_job, run_training

from maskdet.artefacts import CURVES_PAGE
from maskdet.errors import TrainingError
from maskdet.training.launch.disk_space import space_for
from maskdet.training.launch.failures import DiskFull, OutOfMemory, kills_for_memory, lacks_memory
from maskdet.training.launch.process import Event
from maskdet.training.launch.recovery import Recovery
from maskdet.training.report.metrics_log import read_metrics
from maskdet.training.state import STATE_NAME, TrainState, read_state
from maskdet.training.train import train
from maskdet.training.worker.micro_batches import split

HERE = Path(__file__).parent


def limited(folder: Path, kind: str, megabytes: int) -> Path:
    """An interpreter under a limit, as `train.python`."""
    script = folder / f"python-{kind}"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE / "limited.py"}" {kind} {megabytes} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def warnings_of(out: Path, kind: str) -> list[Event]:
    return [event for event in read_metrics(out) if event["event"] == "warning" and event["kind"] == kind]


@pytest.mark.slow
def test_little_memory_halves_the_pictures_at_a_time(drawn: DrawnSet, tmp_path: Path) -> None:
    python = limited(tmp_path, "data", 900)
    job = make_job(tmp_path / "job", drawn, side=320, batch_size=12, epochs=1, python=python)
    run = run_training(job, drawn)
    assert run.summary.epochs == 1
    assert 2 <= run.summary.recovery.parts <= 6
    state = read_state(job.out)
    assert state is not None
    assert (state.parts, state.rate_share) == (run.summary.recovery.parts, 1.0)
    told = warnings_of(job.out, "OutOfMemory")
    assert "not enough memory: continuing from the start with 6 pictures" in told[0]["text"]
    assert [event["text"] for event in told] == list(run.summary.warnings)
    assert f"set train.batch_size: {12 // state.parts}" in run.summary.advice[0]
    # The step stays whole: as many steps as without the trouble.
    assert [event["steps_per_epoch"] for event in run.events if event["event"] == "start"][-1] == 2


@pytest.mark.parametrize(("parts", "sizes"), [(1, [5]), (2, [3, 2]), (4, [2, 2, 1]), (5, [1] * 5)])
def test_a_batch_falls_into_parts(parts: int, sizes: list[int]) -> None:
    batch = {"image": np.arange(10).reshape(5, 2), "gt_bbox": list("abcde"), "epoch_id": 3}
    found = list(split(batch, parts))
    assert [len(part["image"]) for part, _ in found] == sizes
    assert [name for _, rows in found for name in batch["gt_bbox"][rows]] == list("abcde")
    assert np.array_equal(np.concatenate([part["image"] for part, _ in found]), batch["image"])
    assert [name for part, _ in found for name in part["gt_bbox"]] == list("abcde")
    assert {part["epoch_id"] for part, _ in found} == {3}


WILD = {"learning_rate": 2000.0, "epochs": 1}
"""Eight times what a training of one epoch just stands, and far from what it does not."""


def test_a_rate_that_is_too_high_is_halved_until_it_works(drawn: DrawnSet, tmp_path: Path) -> None:
    run = run_training(make_job(tmp_path, drawn, **WILD), drawn)
    told = warnings_of(run.job.out, "Diverged")
    share = run.summary.recovery.rate_share
    assert 1 <= len(told) <= 3
    assert share == 0.5 ** len(told)
    assert "in epoch 1: continuing from the start with 0.5 of the learning rate" in told[0]["text"]
    assert f"set train.learning_rate: {2000 * share:g}" in run.summary.advice[0]
    rates = [event["lr"] for event in run.events if event["event"] == "step"]
    assert max(rates) <= 2000
    state = read_state(run.job.out)
    assert state is not None
    assert state.rate_share == share


def test_a_loss_that_is_lost_later_goes_back_to_the_last_epoch(trained: Trained, tmp_path: Path) -> None:
    """A state after epoch 2 of 3 whose rate is far too high: what it goes back to is that state."""
    job = replace(trained.job, out=tmp_path / "train")
    shutil.copytree(trained.job.out, job.out)
    state = read_state(job.out)
    assert state is not None
    wild = 1e6
    save_state(job.out, replace(state, epoch=2, finished=False, rate_share=wild))
    run = run_training(job, trained.data, resume=True)
    told = warnings_of(job.out, "Diverged")
    assert told
    assert all(event["epoch"] == 2 for event in told)
    assert "in epoch 3: continuing after epoch 2" in told[0]["text"]
    epochs = [event["epoch"] for event in read_metrics(job.out) if event["event"] == "epoch"]
    assert epochs == [1, 2, 3]
    assert run.summary.recovery.rate_share < wild


def save_state(out: Path, state: TrainState) -> None:
    """Give the arrays in the folder another header, and the number of steps that belongs to it."""
    arrays = load_file(out / STATE_NAME)
    steps = arrays["steps"] * state.epoch // state.epochs
    save_file({**arrays, "steps": steps}, out / STATE_NAME, metadata=state.to_header())


@pytest.fixture
def own_set(tmp_path: Path) -> DrawnSet:
    """Pictures that a test may damage: 33 to train on, 11 in val."""
    return draw_faces(tmp_path / "voc", 44)


def test_a_lost_picture_is_named_and_replaced(own_set: DrawnSet, tmp_path: Path) -> None:
    """One of 33 is damaged after `prepare`; a second one is too many."""
    files = [own_set.root / picture.picture for picture in own_set.manifest.part("train")]
    whole = files[3].read_bytes()
    files[3].write_bytes(whole[: len(whole) // 2])
    job = make_job(tmp_path / "job", own_set)
    run = run_training(job, own_set)
    told = warnings_of(job.out, "picture")
    assert [event["file"] for event in told] == [str(files[3])]
    assert str(files[3]) in run.summary.warnings[0]
    steps = [event["step"] for event in read_metrics(job.out) if event["event"] == "step"]
    assert max(steps) == 33 // 4

    files[5].unlink()
    with pytest.raises(TrainingError, match="2 of 33 train pictures are no longer readable"):
        run_training(make_job(tmp_path / "again", own_set), own_set)


def test_a_missing_val_picture_is_named_before_training(own_set: DrawnSet, tmp_path: Path) -> None:
    gone = own_set.root / own_set.manifest.part("val")[2].picture
    gone.unlink()
    job = make_job(tmp_path / "job", own_set)
    with pytest.raises(TrainingError) as caught:
        run_training(job, own_set)
    assert str(gone) in caught.value.what
    assert "maskdet prepare" in caught.value.hint
    assert not [event for event in read_metrics(job.out) if event["event"] == "step"]
    assert str(gone) in (job.out / CURVES_PAGE).read_text()


def test_a_file_that_may_not_grow_stops_cleanly(drawn: DrawnSet, tmp_path: Path) -> None:
    job = make_job(tmp_path / "job", drawn, python=limited(tmp_path, "fsize", 1))
    with pytest.raises(DiskFull) as caught:
        run_training(job, drawn)
    for words in (str(job.out), "files are not allowed to be that large", "are needed", "are free"):
        assert words in caught.value.what
    assert not list(job.out.glob(".[0-9]*"))
    assert read_state(job.out) is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB in memory. Skips where mounting is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    arguments = [mount or "mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    if mount is None or subprocess.run(arguments, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_keeps_the_last_epoch_whole(drawn: DrawnSet, tmp_path: Path, small_disk: Path) -> None:
    """Something else fills the disk while the second epoch is on its way."""
    job = replace(make_job(tmp_path, drawn, epochs=40), out=small_disk / "train")

    def fill(event: Event) -> None:
        if event["event"] == "step" and event["epoch"] == 2 and not (small_disk / "ballast").exists():
            (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free - 3 * 2**20))

    with pytest.raises(DiskFull) as caught:
        train(job, on_event=fill)
    for words in (str(job.out), "the disk is full", "are needed", "are free", "--resume"):
        assert words in str(caught.value)
    state = read_state(job.out)
    assert state is not None
    assert 1 <= state.epoch < 40
    assert "network/head" in str(load_file(job.out / STATE_NAME).keys())
    assert not list(job.out.glob(".[0-9]*"))

    (small_disk / "ballast").unlink()
    done = replace(job, settings=job.settings.model_copy(update={"max_hours": 1e-6}))
    run = run_training(done, drawn, resume=True)
    assert run.summary.epochs == state.epoch
    assert run.summary.reason == "max_hours"


def test_room_that_is_not_there_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="the disk is full"), space_for(tmp_path, 2**60):
        raise AssertionError("the block was entered")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EDQUOT, "x"), "quota"),
        (RuntimeError("I/O error: File too large (os error 27)"), "not allowed"),
    ],
)
def test_a_write_that_fails_for_want_of_room_is_told_as_such(
    tmp_path: Path, error: Exception, words: str
) -> None:
    with pytest.raises(DiskFull, match=words), space_for(tmp_path, 5):
        raise error


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="denied"), space_for(tmp_path, 5):
        raise OSError(errno.EACCES, "denied")


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        (MemoryError(), True),
        (RuntimeError("(External) ResourceExhaustedError: Fail to alloc memory of 9 size"), True),
        ("terminate called after throwing an instance of 'std::bad_alloc'", True),
        ("OSError: [Errno 12] Cannot allocate memory", True),
        (ValueError("shapes differ"), False),
        ("ExternalError: CUDA error(2), out of memory.", True),
        ("ExternalError: CUBLAS error(3). [Hint: 'CUBLAS_STATUS_ALLOC_FAILED'.", True),
        ("ExternalError: CUDA error(209), no kernel image is available for execution on the device.", False),
    ],
)
def test_knows_what_is_said_of_memory(said: str | BaseException, lacks: bool) -> None:
    assert lacks_memory(said) is lacks


def test_counts_what_the_kernel_ended(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("oom_kill_other 9\nnr_free 3\noom_kill 4\n")
    assert kills_for_memory(tmp_path / "vmstat") == 4
    assert kills_for_memory(tmp_path / "absent") == 0


def test_memory_relief_ends_with_one_picture_at_a_time() -> None:
    recovery, seen = Recovery(), []
    while recovery.parts < 6:
        recovery = recovery.after(OutOfMemory("x"), 6)
        seen.append(recovery.at_a_time(6))
    assert seen == [3, 2, 1]
    with pytest.raises(OutOfMemory, match="even with one picture"):
        recovery.after(OutOfMemory("x"), 6)
