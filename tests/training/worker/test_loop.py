"""What a training leaves behind, when it stops, and what it survives."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file
from trained import DrawnSet, Trained, draw_faces, make_job, run_training

from maskdet.errors import TrainingError
from maskdet.training.report.metrics_log import forget_after, read_metrics
from maskdet.training.start.weights import read_weights
from maskdet.training.state import STATE_NAME, read_state
from maskdet.training.train import start_over


def test_writes_what_is_promised(trained: Trained) -> None:
    names = {path.name for path in trained.job.out.iterdir()}
    assert {
        "last.pdparams",
        "best.pdparams",
        STATE_NAME,
        "metrics.jsonl",
        "curves.png",
        "worker.log",
    } <= names
    assert not any(name.startswith(".") for name in names)


def test_curves_are_a_picture(trained: Trained) -> None:
    with Image.open(trained.job.out / "curves.png") as picture:
        picture.load()
        assert picture.width > picture.height > 300


def test_each_epoch_has_a_metric_line(trained: Trained) -> None:
    epochs = [event for event in read_metrics(trained.job.out) if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2, 3]
    for event in epochs:
        assert {"ap50", "ap50_95", "ap50_any_class", "best"} <= event.keys()
        assert 0 <= event["ap50"] <= 1


def test_each_step_group_has_a_line(trained: Trained) -> None:
    steps = [event for event in read_metrics(trained.job.out) if event["event"] == "step"]
    assert {(event["epoch"], event["step"]) for event in steps} >= {(1, 6), (2, 6), (3, 6)}
    for event in steps:
        assert {"loss_vfl", "loss_bbox", "loss_dfl"} == set(event["losses"])
        assert event["loss"] == pytest.approx(sum(event["losses"].values()), abs=1e-4)
        assert event["lr"] > 0
        assert event["images_per_s"] > 0
        assert event["eta_s"] >= 0
        assert event["memory_mb"] > 100
    assert steps[-1]["eta_s"] == 0
    assert steps[-1]["lr"] < steps[0]["lr"]


def test_start_says_what_is_ahead(trained: Trained) -> None:
    start = trained.events[0]
    assert (start["event"], start["epochs"], start["steps_per_epoch"]) == ("start", 3, 6)
    assert (start["device"], start["workers"], start["first_epoch"]) == ("cpu", 1, 1)


@pytest.mark.slow
def test_a_skilled_model_is_kept_as_the_best(skilled: Trained) -> None:
    scores = {e["epoch"]: e["ap50"] for e in skilled.events if e["event"] == "epoch"}
    assert list(scores) == [5, 10, 15, 20]
    assert skilled.summary.best_ap50 == max(scores.values()) > 0.3
    assert scores[skilled.summary.best_epoch] == skilled.summary.best_ap50
    marked = [e["epoch"] for e in skilled.events if e["event"] == "epoch" and e["best"]]
    assert marked[-1] == skilled.summary.best_epoch


@pytest.mark.parametrize("variant", ["picodet_s_320_esnet", "picodet_xs_320"])
def test_batches_without_any_face_train_and_patience_ends_them(tmp_path: Path, variant: str) -> None:
    """Nobody to learn from: AP stays 0, so the first evaluation is the best and patience runs out."""
    data = draw_faces(tmp_path / "voc", 12, faces=0)
    faces = draw_faces(tmp_path / "voc", 16).manifest.pictures[12:]
    data = DrawnSet(data.root, replace(data.manifest, pictures=(*data.manifest.pictures, *faces)))
    data = data.dealt(train=range(9), val=range(12, 16))
    settings = {"epochs": 10, "patience": 2, "evaluate_every": 2}
    run = run_training(make_job(tmp_path / "job", data, variant=variant, **settings), data)
    assert run.summary.reason == "patience"
    assert (run.summary.epochs, run.summary.best_epoch, run.summary.best_ap50) == (6, 2, 0.0)
    evaluated = [event["epoch"] for event in run.events if event["event"] == "epoch"]
    assert evaluated == [2, 4, 6]
    state = read_state(run.job.out)
    assert state is not None
    assert (state.finished, state.epoch, state.epochs, state.waited) == (True, 6, 10, 2)
    weights = read_weights(run.job.out / "last.pdparams")
    assert all(np.isfinite(array).all() for array in weights.values())


def test_a_batch_may_mix_pictures_with_and_without_faces(tmp_path: Path, drawn: DrawnSet) -> None:
    names = ["a face mask.png", "口罩 一.jpg", "UPPER.JPG"]
    empty = draw_faces(tmp_path / "voc", 6, faces=0, names=names)
    faces = draw_faces(tmp_path / "voc", 6, faces=2)
    pictures = (*empty.manifest.pictures[:3], *faces.manifest.pictures[1:])
    mixed = DrawnSet(empty.root, replace(empty.manifest, pictures=pictures)).dealt(train=range(6), val=[6, 7])
    run = run_training(make_job(tmp_path / "job", mixed, variant="picodet_xs_320", batch_size=3), mixed)
    assert run.summary.epochs == 1


def test_a_wild_learning_rate_is_told_with_a_hint(drawn: DrawnSet, tmp_path: Path) -> None:
    job = make_job(tmp_path, drawn, epochs=4, learning_rate=1e12)
    with pytest.raises(TrainingError, match="the loss became") as caught:
        run_training(job, drawn)
    assert "train.learning_rate" in caught.value.hint
    tries = [event["text"] for event in read_metrics(job.out) if event["event"] == "warning"]
    assert [text.split(" with ")[1] for text in tries] == [
        f"{share} of the learning rate" for share in (0.5, 0.25, 0.125)
    ]


def test_a_lost_loss_keeps_the_last_good_state(drawn: DrawnSet, tmp_path: Path) -> None:
    """Weights that are no numbers, put into the state: there is nothing to go back to; all stays as it is."""
    job = make_job(tmp_path, drawn, epochs=2)
    run_training(job, drawn)
    path = job.out / STATE_NAME
    rewind(path)
    kept = {name: (job.out / name).read_bytes() for name in (STATE_NAME, "best.pdparams", "last.pdparams")}
    with pytest.raises(TrainingError, match="contains weights that are not finite"):
        run_training(job, drawn, resume=True)
    assert {name: (job.out / name).read_bytes() for name in kept} == kept


def rewind(path: Path) -> None:
    """Make a state file say that one epoch was finished, with a network of NaN."""
    state = read_state(path.parent)
    assert state is not None
    arrays = load_file(path)
    for name in arrays:
        if name.startswith("network/backbone"):
            arrays[name] = np.full_like(arrays[name], np.nan)
    header = type(state)(1, state.epochs, False, 0.5, 1, 0, state.fingerprint).to_header()
    save_file(arrays, path, metadata=header)


def test_forgets_the_epochs_after_one(trained: Trained, tmp_path: Path) -> None:
    shutil.copy(trained.job.out / "metrics.jsonl", tmp_path)
    with (tmp_path / "metrics.jsonl").open("a") as stream:
        stream.write('{"event": "step", "epo')
    forget_after(tmp_path, 1)
    kept = read_metrics(tmp_path)
    assert {event["event"] for event in kept} == {"step", "epoch"}
    assert {event["epoch"] for event in kept} == {1}
    forget_after(tmp_path, 0)
    assert read_metrics(tmp_path) == []


def test_starting_over_leaves_nothing(trained: Trained, tmp_path: Path) -> None:
    copy = tmp_path / "train"
    shutil.copytree(trained.job.out, copy)
    start_over(copy)
    assert {path.name for path in copy.iterdir()} <= {"job.json"}
