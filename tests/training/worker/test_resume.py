"""A training that is killed and resumed ends as an unbroken one, to the bit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from safetensors.numpy import load_file
from trained import DrawnSet, Trained, make_job, run_training

from maskdet.errors import TrainingError
from maskdet.training.launch.process import Event
from maskdet.training.report.metrics_log import read_metrics
from maskdet.training.start.weights import read_weights
from maskdet.training.state import STATE_NAME, read_state
from maskdet.training.train import TrainJob, train

pytestmark = pytest.mark.slow


def kill_workers(event: Event) -> None:
    """SIGKILL for the worker in its second epoch, after what it was about to save.

    On a busy machine this process hears of a step late, and the worker may have finished the epoch.
    """
    if event["event"] == "step" and event["epoch"] == 2:
        for child in psutil.Process().children(recursive=True):
            child.kill()


@pytest.fixture(scope="module")
def killed(drawn: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainJob, str]:
    """The job of `trained`, killed in epoch 2, and what the parent said."""
    job = make_job(tmp_path_factory.mktemp("killed"), drawn, epochs=3)
    with pytest.raises(TrainingError) as caught:
        train(job, on_event=kill_workers)
    return job, str(caught.value)


@pytest.fixture(scope="module")
def resumed(
    killed: tuple[TrainJob, str], drawn: DrawnSet, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    job = killed[0]
    copy = tmp_path_factory.mktemp("resumed") / "train"
    shutil.copytree(job.out, copy)
    return run_training(TrainJob(job.config, job.manifest, copy, job.settings, job.model), drawn, resume=True)


def test_a_killed_worker_is_told_as_such(killed: tuple[TrainJob, str]) -> None:
    assert "was ended by signal 9" in killed[1]
    assert str(killed[0].out / "worker.log") in killed[1]


def test_a_killed_training_keeps_its_last_finished_epoch(killed: tuple[TrainJob, str]) -> None:
    state = read_state(killed[0].out)
    assert state is not None
    assert (state.epoch in {1, 2}, state.epochs, state.finished) == (True, 3, False)
    assert (killed[0].out / "best.pdparams").is_file()
    assert not list(killed[0].out.glob(".*"))


def test_a_frozen_backbone_is_frozen_after_a_resume_too(best: Path, drawn: DrawnSet, tmp_path: Path) -> None:
    # So many epochs that it cannot end before the kill, however late its steps are read.
    job = make_job(tmp_path, drawn, pretrained=best, freeze="backbone", epochs=10, evaluate_every=10)
    with pytest.raises(TrainingError):
        train(job, on_event=kill_workers)
    run_training(job, drawn, resume=True)
    before, after = read_weights(best), read_weights(job.out / "last.pdparams")
    kept = [name for name in before if np.allclose(before[name], after[name], rtol=1e-5, atol=1e-7)]
    assert {name for name in before if name.startswith("backbone.")} <= set(kept)
    assert len(kept) < len(before)


def losses(out: Path) -> dict[tuple[int, int], Any]:
    steps = [event for event in read_metrics(out) if event["event"] == "step"]
    return {(event["epoch"], event["step"]): (event["loss"], event["losses"], event["lr"]) for event in steps}


def test_resumed_losses_equal_the_unbroken_ones(trained: Trained, resumed: Trained) -> None:
    one, two = losses(trained.job.out), losses(resumed.job.out)
    last = max(step for _, step in one)
    assert {(1, last), (2, last), (3, last)} <= one.keys() & two.keys()
    assert {key: one[key] for key in one.keys() & two.keys()} == {
        key: two[key] for key in one.keys() & two.keys()
    }


def test_resumed_state_equals_the_unbroken_one(trained: Trained, resumed: Trained) -> None:
    one, two = load_file(trained.job.out / STATE_NAME), load_file(resumed.job.out / STATE_NAME)
    assert one.keys() == two.keys()
    assert [name for name in one if not np.array_equal(one[name], two[name])] == []
    assert {name.partition("/")[0] for name in one} == {"network", "average", "optimizer", "steps"}


@pytest.mark.parametrize("name", ["last.pdparams", "best.pdparams"])
def test_resumed_weights_equal_the_unbroken_ones(trained: Trained, resumed: Trained, name: str) -> None:
    one, two = (read_weights(run.job.out / name) for run in (trained, resumed))
    assert one.keys() == two.keys()
    assert [key for key in one if not np.array_equal(one[key], two[key])] == []


def test_resume_tells_where_it_begins(killed: tuple[TrainJob, str], resumed: Trained) -> None:
    state = read_state(killed[0].out)
    assert state is not None
    assert resumed.events[0]["event"] == "start"
    assert resumed.events[0]["first_epoch"] == state.epoch + 1
    assert resumed.summary.epochs == 3


def test_resume_leaves_no_epoch_twice(resumed: Trained) -> None:
    epochs = [event["epoch"] for event in read_metrics(resumed.job.out) if event["event"] == "epoch"]
    assert epochs == [1, 2, 3]


def test_resume_keeps_a_better_score_and_its_weights(
    killed: tuple[TrainJob, str], drawn: DrawnSet, tmp_path: Path
) -> None:
    """An unbeatable score in the state stays, and no later epoch writes over the best weights."""
    job = killed[0]
    out = tmp_path / "train"
    shutil.copytree(job.out, out)
    claim_best(out / STATE_NAME, 0.999)
    (out / "best.pdparams").write_bytes(b"the best")
    again = TrainJob(job.config, job.manifest, out, job.settings, job.model)
    run = run_training(again, drawn, resume=True)
    state = read_state(out)
    assert state is not None
    assert (state.best_ap50, state.best_epoch, state.waited) == (0.999, 1, 2)
    assert (run.summary.best_ap50, run.summary.best_epoch, run.summary.epochs) == (0.999, 1, 3)
    assert (out / "best.pdparams").read_bytes() == b"the best"
    left = 4 - run.events[0]["first_epoch"]
    assert left > 0
    assert [event["best"] for event in run.events if event["event"] == "epoch"] == [False] * left


def test_a_resumed_session_without_time_trains_no_epoch(
    killed: tuple[TrainJob, str], drawn: DrawnSet, tmp_path: Path
) -> None:
    job = killed[0]
    out = tmp_path / "train"
    shutil.copytree(job.out, out)
    before = read_state(out)
    assert before is not None
    settings = job.settings.model_copy(update={"max_hours": before.seconds / 3600})
    run = run_training(TrainJob(job.config, job.manifest, out, settings, job.model), drawn, resume=True)
    assert (run.summary.epochs, run.summary.reason) == (before.epoch, "max_hours")
    assert f"ended the training after epoch {before.epoch} of 3" in run.summary.warnings[-1]
    after = read_state(out)
    assert after is not None
    assert (after.finished, after.best_epoch) == (True, before.best_epoch)
    assert (out / "best.pdparams").read_bytes() == (job.out / "best.pdparams").read_bytes()


def claim_best(path: Path, ap50: float) -> None:
    """Rewrite the header of a state file so that its best epoch had another score."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    state = json.loads(header["__metadata__"]["maskdet"])
    header["__metadata__"]["maskdet"] = json.dumps({**state, "best_ap50": ap50})
    written = json.dumps(header).encode()
    # Arrays must begin at a multiple of 8 bytes; the format allows spaces at the end of the header.
    written += b" " * (-len(written) % 8)
    path.write_bytes(len(written).to_bytes(8, "little") + written + content[8 + length :])


def test_a_damaged_state_is_not_resumed(killed: tuple[TrainJob, str], tmp_path: Path) -> None:
    job = killed[0]
    out = tmp_path / "train"
    shutil.copytree(job.out, out)
    whole = (out / STATE_NAME).read_bytes()
    (out / STATE_NAME).write_bytes(whole[: len(whole) // 2])
    again = TrainJob(job.config, job.manifest, out, job.settings, job.model)
    with pytest.raises(TrainingError, match="is damaged") as caught:
        train(again, on_event=lambda event: None, resume=True)
    assert "--force" in caught.value.hint
    assert (out / "best.pdparams").is_file()
