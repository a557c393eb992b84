"""Progress: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from maskdet.api.display import Display
from maskdet.cli.console import print_outcomes
from maskdet.pipeline.running.outcome import StageOutcome, State

START = {"event": "start", "epochs": 2, "steps_per_epoch": 4, "device": "cpu", "workers": 2, "first_epoch": 1}
STEP = {
    "event": "step",
    "epoch": 1,
    "step": 3,
    "loss": 2.5,
    "losses": {"loss_vfl": 1.0, "loss_bbox": 1.5},
    "lr": 0.01,
    "images_per_s": 7.25,
    "eta_s": 75,
    "memory_mb": 900,
}
EPOCH = {"event": "epoch", "epoch": 1, "best": True, "ap50": 0.4213}
DONE = {"event": "done", "epochs": 2}


def shown(*events: dict[str, object], terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=140, color_system=None, highlight=False)
    with Display(console) as display:
        for event in events:
            display.on_event(dict(event))
    return stream.getvalue()


def test_without_a_terminal_training_is_a_line_an_epoch():
    text = shown(START, STEP, STEP, EPOCH, DONE)
    assert text.splitlines() == [
        "2 epochs of 4 steps on cpu, 2 workers",
        "epoch 1/2  loss 2.500  AP50 42.1% (best)  about 1 min 15 s left",
    ]


def test_on_a_terminal_there_is_a_bar_with_losses_and_the_time_left():
    text = shown(START, STEP, EPOCH, DONE, terminal=True)
    for part in (
        "epoch 1/2",
        "3/8",
        "loss 2.500  7.2 pictures/s  (vfl 1.000 bbox 1.500)",
        "1 min 15 s left",
    ):
        assert part in text


def test_a_resumed_training_says_where_it_begins():
    assert "from epoch 2" in shown({**START, "first_epoch": 2})
    assert "from epoch" not in shown(START)


def test_what_a_training_starts_from_is_said_once():
    started = {**START, "start": "starting from coco: all but the classes, which are new"}
    assert shown(started).splitlines()[1] == started["start"]
    assert "coco" not in shown({**started, "first_epoch": 2})
    assert len(shown({**START, "start": ""}).splitlines()) == 1


def test_an_epoch_without_evaluation_has_no_score():
    assert "AP50" not in shown(START, STEP, {"event": "epoch", "epoch": 1, "ap50": None})


def test_the_start_is_judged_before_the_first_epoch():
    start = {**START, "judges_start": True}
    judged = {"event": "epoch", "epoch": 0, "best": True, "ap50": 0.8719}
    assert shown(start, judged, STEP, EPOCH, DONE).splitlines()[1:] == [
        "epoch 0 (the start): AP50 87.2%",
        "epoch 1/2  loss 2.500  AP50 42.1% (best)  about 1 min 15 s left",
    ]
    assert "judging the start" in shown(start, terminal=True)
    assert "judging" not in shown(START, terminal=True)


def test_the_last_epoch_leaves_no_time():
    assert "left" not in shown(START, STEP, {**EPOCH, "epoch": 2})


def test_events_outside_a_training_are_passed_over():
    assert shown({"event": "step"}, {"event": "surprise"}) == ""


def test_track_hands_everything_through_and_cleans_up():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, color_system=None)
    with Display(console) as display:
        assert list(display.track(iter("abc"), "reading", 3)) == ["a", "b", "c"]
        unfinished = display.track(range(10), "evaluating", 10)
        assert next(unfinished) == 0
        unfinished.close()
    assert "reading" in stream.getvalue()


def test_track_is_silent_without_a_terminal():
    stream = io.StringIO()
    with Display(Console(file=stream, force_terminal=False)) as display:
        assert list(display.track([1, 2], "reading")) == [1, 2]
    assert stream.getvalue() == ""


def test_an_error_ends_the_bars_and_goes_on():
    with pytest.raises(ValueError, match="no"), Display(Console(file=io.StringIO(), force_terminal=True)):
        raise ValueError("no")


def test_the_table_has_a_row_a_stage_and_the_reason_where_there_is_no_figure(capsys):
    print_outcomes(
        [
            StageOutcome("prepare", State.RAN, 3.2, "[749] pictures"),
            StageOutcome("train", State.WOULD_RUN, reason="train.epochs 30 → 2"),
        ]
    )
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["stage", "state", "time", "key", "figure"],
        ["prepare", "ran", "3.2", "s", "[749]", "pictures"],
        ["train", "would", "run", "train.epochs", "30", "→", "2"],
    ]
