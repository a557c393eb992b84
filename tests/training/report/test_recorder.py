"""The parts of a training that need no network: prefetching, the wall clock, the page, lost pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from trained import DrawnSet

from maskdet.artefacts import CURVES_PAGE, CURVES_PLOT
from maskdet.errors import PictureError, TrainingError
from maskdet.training.launch.process import Event
from maskdet.training.report.metrics_log import append_metrics, read_metrics
from maskdet.training.report.page import write_page
from maskdet.training.report.recorder import Recorder
from maskdet.training.worker.picture_store import LostPictures, PictureStore
from maskdet.training.worker.prefetch import prefetched
from maskdet.training.worker.time_budget import TimeBudget


def test_prefetching_keeps_the_order_and_one_thread() -> None:
    threads = []

    def items() -> Iterator[int]:
        for number in range(20):
            threads.append(threading.get_ident())
            yield number

    assert list(prefetched(items())) == list(range(20))
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


def test_prefetching_hands_on_an_error_after_what_came_before() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise TrainingError("lost")

    seen = []
    with pytest.raises(TrainingError, match="lost"):
        seen += [*prefetched(items())]
    waiting = prefetched(items())
    assert next(waiting) == 1


def test_prefetching_ends_its_thread_when_it_is_left() -> None:
    waiting = prefetched(iter(int, 1))
    next(waiting)
    waiting.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_budget_counts_earlier_sessions_and_the_next_epoch() -> None:
    clock = Clock()
    budget = TimeBudget(1.0, spent=1800, clock=clock)
    assert not budget.exhausted(evaluated=True)
    clock.now += 600
    budget.steps_done()
    assert not budget.exhausted(evaluated=True)
    budget.epoch_done()
    assert (budget.spent, budget.epochs_ahead()) == (2400, 2)
    clock.now += 610
    budget.steps_done()
    assert budget.exhausted(evaluated=True)
    budget.epoch_done()
    assert budget.epochs_ahead() == 0


def epochs_within(limit: float, steps: float, closing: float, every: int = 1, known: float = 0.0) -> int:
    """How many of 100 epochs are trained if the loop's rule for evaluations is followed."""
    clock = Clock()
    budget = TimeBudget(limit / 3600, spent=0, clock=clock, closing=known)
    for epoch in range(1, 101):
        clock.now += steps
        budget.steps_done()
        due = epoch % every == 0
        cut = budget.exhausted(evaluated=due)
        clock.now += closing if due or cut else 0
        budget.epoch_done()
        if cut:
            return epoch
    return 100


@pytest.mark.parametrize(
    ("limit", "steps", "closing"), [(430, 100, 0), (370, 100, 0), (1010, 100, 100), (3650, 300, 60)]
)
def test_the_last_epoch_is_the_last_that_fits(limit: float, steps: float, closing: float) -> None:
    assert epochs_within(limit, steps, closing) == limit // (steps + closing)


def test_evaluations_that_are_not_due_need_no_time() -> None:
    """Ten epochs of 10 s with two evaluations of 100 s fit; the eleventh would be evaluated as well."""
    assert epochs_within(305, 10, 100, every=5) == 10
    assert epochs_within(415, 10, 100, every=5) == 11


def test_the_first_epoch_is_closed_within_the_limit_if_the_time_is_known() -> None:
    assert epochs_within(250, 50, 100, known=100) == 1


def test_the_budget_says_once_what_it_suffices_for() -> None:
    clock = Clock()
    budget = TimeBudget(1.0, spent=0, clock=clock)
    clock.now += 600
    budget.steps_done()
    budget.epoch_done()
    said = budget.remark(1, 30, ended=False)
    assert said is not None
    assert "is enough for about 6 of 30 epochs" in said
    assert "train.epochs: 6" in said
    assert budget.remark(1, 6, ended=False) is None
    budget.epoch_done()
    assert budget.remark(2, 30, ended=False) is None
    assert "ended the training after epoch 5 of 30" in str(budget.remark(5, 30, ended=True))


def test_without_a_limit_nothing_is_exhausted() -> None:
    budget = TimeBudget(None, spent=1e9)
    assert not budget.exhausted(evaluated=True)
    assert budget.epochs_ahead() is None
    assert budget.remark(1, 2, ended=False) is None


def test_the_store_decodes_once_and_keeps_to_its_limit(drawn: DrawnSet) -> None:
    files = [drawn.root / picture.picture for picture in drawn.manifest.pictures[:3]]
    one = 96 * 80 * 3
    store = PictureStore(2 * one)
    first = [store.read(path) for path in files]
    again = [store.read(path) for path in files]
    assert [one is two for one, two in zip(first, again, strict=True)] == [True, True, False]
    assert np.array_equal(first[2], again[2])
    with pytest.raises(ValueError, match="read-only"):
        first[0][:] = 0


def test_lost_pictures_are_named_once_and_may_not_be_many() -> None:
    told: list[str] = []
    lost = LostPictures(60, lambda event, **fields: told.append(fields["file"]))
    for name in "abaab":
        lost.add(Path(name), PictureError(f"{name}: damaged"))
    lost.add(Path("c"), PictureError("c: damaged"))
    assert told == ["a", "b", "c"]
    with pytest.raises(TrainingError, match="4 of 60 train pictures"):
        lost.add(Path("d"), PictureError("d: damaged"))


START = {"event": "start", "epochs": 3, "steps_per_epoch": 4}
STEP = {
    "event": "step",
    "epoch": 2,
    "step": 1,
    "loss": 1.5,
    "losses": {"loss_vfl": 1.5},
    "lr": 0.1,
    "images_per_s": 9.0,
    "eta_s": 61,
    "memory_mb": 700,
}
EPOCH = {"event": "epoch", "epoch": 1, "best": True, "ap50": 0.5, "ap50_95": 0.25, "ap50.<mask>": None}


def test_the_page_tells_how_far_it_is(tmp_path: Path) -> None:
    write_page(tmp_path)
    assert "The worker is starting" in (tmp_path / CURVES_PAGE).read_text()
    for event in (START, EPOCH, STEP):
        append_metrics(tmp_path, event)
    write_page(tmp_path)
    page = (tmp_path / CURVES_PAGE).read_text()
    for words in (
        "Epoch 2 of 3, step 1 of 4",
        "0:01:01 left",
        'value="5"',
        "1 (best)",
        "50.0",
        "&lt;mask&gt;",
    ):
        assert words in page
    assert 'http-equiv="refresh"' in page
    assert "http://" not in page.replace("http-equiv", "")
    write_page(tmp_path, ended="Finished.")
    assert "refresh" not in (tmp_path / CURVES_PAGE).read_text()


def test_any_character_of_a_warning_can_be_read_again(tmp_path: Path) -> None:
    warning = {"event": "warning", "text": "a\u2028b\x85c\n"}
    append_metrics(tmp_path, warning)
    append_metrics(tmp_path, EPOCH)
    assert read_metrics(tmp_path) == [warning, EPOCH]


def test_the_page_tells_of_the_start_before_the_first_steps(tmp_path: Path) -> None:
    start, judged = {**START, "judges_start": True}, {**EPOCH, "epoch": 0}
    append_metrics(tmp_path, start)
    write_page(tmp_path)
    assert "Epoch 0: evaluating the weights that the training starts from" in page_of(tmp_path)
    append_metrics(tmp_path, judged)
    write_page(tmp_path)
    assert "Running the first steps" in page_of(tmp_path)
    assert "0, the start (best)" in page_of(tmp_path)


def test_the_page_keeps_the_start_beside_the_last_epochs(tmp_path: Path) -> None:
    later = [{**EPOCH, "epoch": epoch, "best": epoch == 30} for epoch in range(1, 31)]
    for event in (START, {**EPOCH, "epoch": 0, "ap50": 0.123}, STEP, *later):
        append_metrics(tmp_path, event)
    write_page(tmp_path)
    assert "<td>0, the start</td><td>12.3</td>" in page_of(tmp_path)
    assert "<td>20</td>" not in page_of(tmp_path)


def test_a_page_of_a_training_that_goes_on_from_the_start(tmp_path: Path) -> None:
    """What is left of the metrics after a failure in epoch 1: epoch 0 and a warning."""
    append_metrics(tmp_path, {**EPOCH, "epoch": 0})
    write_page(tmp_path)
    assert "The worker is starting" in page_of(tmp_path)


def test_the_curves_of_short_epochs_are_drawn_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, lambda event: None)
    for event in (START, STEP, EPOCH, STEP, EPOCH):
        append_metrics(tmp_path, event)
        recorder(event)
    assert "AP50" in page_of(tmp_path)
    assert not (tmp_path / CURVES_PLOT).exists()
    recorder.end("finished")
    assert (tmp_path / CURVES_PLOT).exists()
    assert CURVES_PLOT in page_of(tmp_path)


def page_of(folder: Path) -> str:
    return (folder / CURVES_PAGE).read_text(encoding="utf-8")


def test_a_warning_of_two_workers_is_told_once(tmp_path: Path) -> None:
    seen: list[Event] = []
    recorder = Recorder(tmp_path, seen.append)
    warning = {"event": "warning", "kind": "picture", "epoch": 1, "text": "left out: a<b"}
    recorder(warning)
    recorder(warning)
    recorder.tell("going on", "Diverged", 1)
    assert [event["text"] for event in seen] == ["left out: a<b", "going on"]
    assert [event["kind"] for event in read_metrics(tmp_path)] == ["Diverged"]
    assert "going on" in (tmp_path / CURVES_PAGE).read_text()
