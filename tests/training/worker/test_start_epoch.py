"""Epoch 0: weights that know the classes are judged before they are trained, and kept until bettered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml
from trained import SAMPLE, DrawnSet, Trained, make_job, run_training, sample_manifest

from maskdet.artefacts import CURVES_PAGE
from maskdet.detector.shipped import shipped_weights, ships_model
from maskdet.errors import TrainingError
from maskdet.training.launch.process import Event
from maskdet.training.report.metrics_log import read_metrics
from maskdet.training.start.weights import is_class_layer, read_weights
from maskdet.training.state import read_state
from maskdet.training.train import train

pytestmark = pytest.mark.slow

ABSURD = {"optimizer": "adamw", "learning_rate": 0.02}


def same_weights(one: Path, two: Path) -> bool:
    """Where both have the same: of other classes the head has other rows."""
    before, after = read_weights(one), read_weights(two)
    names = [name for name in before if not is_class_layer(name)]
    return before.keys() == after.keys() and all(np.array_equal(before[name], after[name]) for name in names)


def judged(out: Path) -> list[int]:
    return [event["epoch"] for event in read_metrics(out) if event["event"] == "epoch"]


@pytest.fixture(scope="module")
def sample() -> DrawnSet:
    """A few pictures of the drawn sample, on which the shipped model finds most faces."""
    if not ships_model():
        pytest.skip("this build ships no model")
    data = DrawnSet(SAMPLE, sample_manifest())
    return data.dealt(train=range(8), val=range(8, 14))


@pytest.fixture(scope="module")
def spoilt(sample: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The shipped model, trained at a rate that makes it worse, until patience runs out."""
    folder = tmp_path_factory.mktemp("spoilt")
    settings = {"pretrained": "default", "epochs": 5, "patience": 2, **ABSURD}
    return run_training(make_job(folder, sample, side=320, plain=True, **settings), sample)


def test_a_start_that_training_spoils_stays_the_best(spoilt: Trained) -> None:
    scores = {e["epoch"]: e["ap50"] for e in spoilt.events if e["event"] == "epoch"}
    assert list(scores) == [0, 1, 2]
    assert scores[0] > 0.5
    assert max(scores[1], scores[2]) < scores[0]
    summary = spoilt.summary
    assert (summary.best_epoch, summary.best_ap50, summary.start_ap50) == (0, scores[0], scores[0])
    assert same_weights(shipped_weights(), spoilt.job.out / "best.pdparams")
    assert not same_weights(shipped_weights(), spoilt.job.out / "last.pdparams")


def test_patience_counts_from_the_start(spoilt: Trained) -> None:
    assert (spoilt.summary.reason, spoilt.summary.epochs) == ("patience", 2)
    state = read_state(spoilt.job.out)
    assert state is not None
    assert (state.best_epoch, state.waited, state.start_ap50) == (0, 2, spoilt.summary.start_ap50)


def test_the_page_shows_the_start(spoilt: Trained) -> None:
    page = (spoilt.job.out / CURVES_PAGE).read_text(encoding="utf-8")
    per_cent = f"{100 * spoilt.summary.best_ap50:.1f}"
    assert f"<tr class=best><td>0, the start (best)</td><td>{per_cent}</td>" in page
    assert "<td>2</td>" in page
    assert "No epoch improved on the start, whose weights are in best.pdparams." in page


def test_a_wild_rate_over_fixed_statistics_is_a_divergence(sample: DrawnSet, tmp_path: Path) -> None:
    """Activations overflow while the weights are numbers still; half the rate is tried, as for any other."""
    job = make_job(tmp_path, sample, side=320, plain=True, pretrained="default")
    recipe = yaml.safe_load(job.config.read_text(encoding="utf-8"))
    recipe["LearningRate"]["base_lr"] = 1e4
    job.config.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    with pytest.raises(TrainingError, match=r"the (loss|weights) became"):
        run_training(job, sample)
    tries = [event["text"] for event in read_metrics(job.out) if event["event"] == "warning"]
    assert len(tries) == 3
    assert judged(job.out) == [0]


@pytest.fixture(scope="module")
def unbroken(best: Path, drawn: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Two epochs from weights that know the classes."""
    folder = tmp_path_factory.mktemp("unbroken")
    return run_training(make_job(folder, drawn, pretrained=best, epochs=2), drawn)


def ended_at(reached: Callable[[Event], bool]) -> Callable[[Event], None]:
    """SIGKILL for the worker at an event."""

    def kill(event: Event) -> None:
        if reached(event):
            for child in psutil.Process().children(recursive=True):
                child.kill()

    return kill


def test_a_training_killed_after_epoch_0_goes_on_from_it(
    best: Path, drawn: DrawnSet, unbroken: Trained, tmp_path: Path
) -> None:
    job = make_job(tmp_path, drawn, pretrained=best, epochs=2)
    with pytest.raises(TrainingError, match="signal 9"):
        train(job, on_event=ended_at(lambda event: event["event"] == "step"))
    state = read_state(job.out)
    assert state is not None
    assert (state.epoch, state.best_epoch, state.finished) == (0, 0, False)
    assert same_weights(best, job.out / "best.pdparams")

    resumed = run_training(job, drawn, resume=True)
    assert [e["epoch"] for e in resumed.events if e["event"] == "epoch"] == [1, 2]
    assert judged(job.out) == [0, 1, 2]
    assert resumed.summary.start_ap50 == state.start_ap50
    assert same_weights(job.out / "last.pdparams", unbroken.job.out / "last.pdparams")


def test_a_training_killed_in_epoch_0_judges_it_again(best: Path, drawn: DrawnSet, tmp_path: Path) -> None:
    job = make_job(tmp_path, drawn, pretrained=best)
    with pytest.raises(TrainingError, match="signal 9"):
        train(job, on_event=ended_at(lambda event: event["event"] == "start"))
    run_training(job, drawn, resume=True)
    assert judged(job.out) == [0, 1]


def test_two_workers_judge_the_start_once(
    best: Path, drawn: DrawnSet, unbroken: Trained, tmp_path: Path
) -> None:
    two = run_training(make_job(tmp_path, drawn, pretrained=best, workers=2), drawn)
    assert (judged(unbroken.job.out), judged(two.job.out)) == ([0, 1, 2], [0, 1])
    assert two.summary.start_ap50 == unbroken.summary.start_ap50


def test_time_for_the_start_is_part_of_max_hours(best: Path, drawn: DrawnSet, tmp_path: Path) -> None:
    run = run_training(make_job(tmp_path, drawn, pretrained=best, epochs=3, max_hours=1e-6), drawn)
    assert (run.summary.epochs, run.summary.reason) == (1, "max_hours")
    assert judged(run.job.out) == [0, 1]


def test_a_class_that_starts_fresh_leaves_no_epoch_0(best: Path, drawn: DrawnSet, tmp_path: Path) -> None:
    more = replace(drawn, manifest=replace(drawn.manifest, labels=(*drawn.manifest.labels, "visor")))
    run = run_training(make_job(tmp_path, more, pretrained=best), more)
    assert judged(run.job.out) == [1]
    assert run.summary.start_ap50 is None


def test_a_share_of_the_start_is_kept(sample: DrawnSet, tmp_path: Path) -> None:
    settings = {"pretrained": "default", "optimizer": "adamw", "learning_rate": 0.001}
    kept = {}
    for share in (0.0, 0.75):
        job = make_job(tmp_path / str(share), sample, side=320, plain=True, start_share=share, **settings)
        kept[share] = run_training(job, sample)
    start = read_weights(shipped_weights())
    learnt, averaged = (read_weights(one.job.out / "last.pdparams") for one in kept.values())
    # The head has rows for the classes of the sample only.
    names = [name for name in learnt if not is_class_layer(name)]
    moved = [name for name in names if not np.allclose(start[name], learnt[name], atol=1e-6)]
    assert len(moved) > len(names) / 3
    for name in names:
        assert averaged[name] == pytest.approx(0.25 * learnt[name] + 0.75 * start[name], abs=1e-5)


def test_a_share_of_random_weights_is_refused(sample: DrawnSet, tmp_path: Path) -> None:
    job = make_job(tmp_path, sample, side=64, plain=True, pretrained="none", start_share=0.5)
    with pytest.raises(TrainingError, match=r"start_share 0\.5 needs a start that has all classes"):
        run_training(job, sample)
