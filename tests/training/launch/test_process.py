"""The worker protocol with real processes; the jobs need no Paddle, so each takes a moment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
from clock_step import set_clock
from trained import REPO
from waiting import left_of

from maskdet.errors import EnvironmentProblem, Interrupted, TrainingError
from maskdet.system.process_start import process_start
from maskdet.training.launch import process
from maskdet.training.launch.failures import OutOfMemory, relieved_by
from maskdet.training.launch.process import Event, WorkerCommand, run_worker, still_runs

HERE = Path(__file__).parent
JOBS = "small_jobs"


@pytest.fixture(autouse=True)
def workers_import_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{REPO}:{HERE}")


def do(folder: Path, what: str, on_event: Callable[[Event], None] = lambda event: None, **job: Any) -> Event:
    return run_worker(JOBS, {"do": what, **job}, folder, WorkerCommand(), on_event)


def gone(pids: list[int], within: float = 10) -> bool:
    """True when no process of these numbers is left."""
    return not left_of([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], within)


def test_events_arrive_whole_and_in_order(tmp_path: Path) -> None:
    events: list[Event] = []
    done = do(tmp_path, "count", events.append, total=200)
    assert [event["number"] for event in events[:-1]] == list(range(200))
    assert events[0]["text"] == "口罩\n"
    assert events[-1] == done
    assert done["event"] == "done"


def test_a_missing_package_is_named_with_the_line_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"^not_there is not installed for ") as caught:
        run_worker("not_there", {}, tmp_path, WorkerCommand(), lambda event: None)
    assert "maskdet doctor --lock" in caught.value.hint


def test_events_of_an_earlier_run_are_not_told_again(tmp_path: Path) -> None:
    do(tmp_path, "count", total=3)
    events: list[Event] = []
    do(tmp_path, "count", events.append, total=2)
    assert [event.get("number") for event in events] == [0, 1, None]


def test_a_worker_gets_all_cores(tmp_path: Path) -> None:
    assert int(do(tmp_path, "count", total=0)["threads"]) >= 1


def test_an_error_of_ours_comes_through_with_its_hint(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        do(tmp_path, "refuse")
    assert (caught.value.what, caught.value.hint) == ("the loss is not a number", "lower it")


def test_any_other_error_comes_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        do(tmp_path, "fail")
    assert caught.value.what.startswith("ValueError: ")
    assert caught.value.what.endswith("with its point at the end")
    assert "\n" not in caught.value.what
    assert len(caught.value.what) < 400


def test_running_out_of_memory_says_what_its_caller_can_lower(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemory, match="out of memory") as caught, relieved_by("lower eval.batch_size"):
        do(tmp_path, "exhaust")
    assert caught.value.hint == "lower eval.batch_size"


def test_a_worker_that_the_kernel_killed_for_memory_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "kills_for_memory", count().__next__)
    log = tmp_path / "kept.log"
    with pytest.raises(OutOfMemory) as caught, relieved_by("lower eval.batch_size"):
        run_worker(JOBS, {"do": "die"}, tmp_path, WorkerCommand(), log=log)
    assert caught.value.hint == f"lower eval.batch_size; the full log is {log}"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("die", ["was ended by signal 11", "last words"]),
        ("leave", ["exited with 3", "gone"]),
        ("say_nothing", ["exited with 0"]),
        ("absent", ["KeyError", "absent"]),
    ],
)
def test_an_unexpected_end_is_told_with_the_end_of_the_log(
    tmp_path: Path, what: str, words: list[str]
) -> None:
    with pytest.raises(TrainingError) as caught:
        do(tmp_path, what)
    for word in words:
        assert word in caught.value.what


def test_the_log_stays_where_asked(tmp_path: Path) -> None:
    log = tmp_path / "kept.log"
    with pytest.raises(TrainingError) as caught:
        run_worker(JOBS, {"do": "leave"}, tmp_path, WorkerCommand(), log=log)
    assert str(log) in caught.value.hint
    assert "gone" in log.read_text()


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot start") as caught:
        run_worker(JOBS, {"do": "count"}, tmp_path, WorkerCommand(tmp_path / "python"))
    assert "train.python" in caught.value.hint


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_exception_in_the_parent_ends_the_tree(tmp_path: Path, stubborn: bool) -> None:
    seen: list[int] = []

    def interrupt(event: Event) -> None:
        seen.extend(event["pids"])
        raise Interrupted("Ctrl-C")

    with pytest.raises(Interrupted):
        do(tmp_path, "sleep", interrupt, stubborn=stubborn)
    assert len(seen) == 2
    assert gone(seen, within=0.5)


@pytest.fixture
def parent(tmp_path: Path) -> Callable[..., tuple[subprocess.Popen[str], list[int]]]:
    """A starter of `parent.py` with a sleeping worker; gives it and the processes below it."""

    def start() -> tuple[subprocess.Popen[str], list[int]]:
        arguments = [tmp_path, JOBS, json.dumps({"do": "sleep"}), "1"]
        process = subprocess.Popen(
            [sys.executable, HERE / "parent.py", *arguments], stderr=subprocess.PIPE, text=True
        )
        channel = tmp_path / "events.jsonl"
        deadline = time.monotonic() + 60
        while not (channel.exists() and channel.read_text().endswith("\n")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process, json.loads(channel.read_text())["pids"]

    return start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_the_parent_is_ended(
    parent: Callable[..., tuple[subprocess.Popen[str], list[int]]], number: signal.Signals
) -> None:
    process, pids = parent()
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == (Interrupted.exit_code if number == signal.SIGTERM else -signal.SIGKILL)
    assert ("ended by SIGTERM" in said) == (number == signal.SIGTERM)
    assert gone(pids)


def test_still_runs_knows_a_process_from_one_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(tmp_path, "count", total=1)
    identity = json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))["parent"]
    assert still_runs(identity)
    set_clock(monkeypatch, 3600)
    assert still_runs(identity)
    assert not still_runs({**identity, "start": process_start(1)})
    assert not still_runs({"pid": 2**22 + 1, "start": identity["start"]})
