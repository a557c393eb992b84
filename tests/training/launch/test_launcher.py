"""Two workers under Paddle's launcher, ended from outside: nothing may be left, nothing may be lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from trained import REPO, SAMPLE
from waiting import left_of

from maskdet.errors import TrainingError
from maskdet.training.launch.process import LAUNCHER_DIR
from maskdet.training.report.metrics_log import read_metrics
from maskdet.training.state import read_state

pytestmark = pytest.mark.slow
RUN = "two"
EPOCHS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline file over 20 pictures of data/sample, with the data set prepared."""
    root = tmp_path_factory.mktemp("launched")
    for name in ("JPEGImages", "Annotations"):
        (root / "voc" / name).mkdir(parents=True)
        for path in sorted((SAMPLE / name).iterdir())[:20]:
            shutil.copy(path, root / "voc" / name)
    pipeline = {
        "name": RUN,
        "data": {"root": "voc"},
        "model": {"variant": "picodet_s_320_esnet"},
        "train": {"epochs": EPOCHS, "batch_size": 8, "device": "cpu"},
    }
    (root / "pipeline.yml").write_text(yaml.safe_dump(pipeline))
    done = maskdet(root, "config")
    assert done.returncode == 0, done.stderr
    return root


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPO)}


def maskdet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "maskdet", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


class Launched:
    """`maskdet train --workers 2` in a process of its own, and what runs below it."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "runs" / RUN / "train"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "maskdet", "train", "--workers", "2"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.tree: list[psutil.Process] = []

    def reach_epoch(self, number: int) -> None:
        """Wait until steps of that epoch have been reported."""
        deadline = time.monotonic() + 240
        while not any(
            event["event"] == "step" and event["epoch"] == number for event in read_metrics(self.out)
        ):
            assert self.process.poll() is None, self.process.stdout and self.process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self.tree = psutil.Process(self.process.pid).children(recursive=True)
        assert len(self.workers) == 2

    @property
    def workers(self) -> list[psutil.Process]:
        found = []
        for process in self.tree:
            line = process.cmdline()
            if "maskdet.training.worker" in line and "paddle.distributed.launch" not in line:
                found.append(process)
        return found

    def end(self, number: signal.Signals) -> str:
        """Send the parent a signal; what it had printed."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[0]


@pytest.fixture
def launch(folder: Path, tmp_path: Path) -> Iterator[Callable[[], Launched]]:
    started: list[Launched] = []

    def start() -> Launched:
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        started.append(Launched(copy))
        return started[-1]

    yield start
    for launched in started:
        for process in left_of(launched.tree, 0):
            process.kill()
        launched.process.kill()
        launched.process.communicate()


def test_sigterm_ends_the_tree_and_resume_finishes(launch: Callable[[], Launched]) -> None:
    launched = launch()
    launched.reach_epoch(2)
    said = launched.end(signal.SIGTERM)
    assert launched.process.returncode == 128 + signal.SIGTERM, said
    assert left_of(launched.tree) == []
    assert not (launched.out / LAUNCHER_DIR).exists()
    assert "--resume" in said
    ended = read_state(launched.out)
    assert ended is not None
    assert not ended.finished
    assert ended.best_ap50 is not None

    folder = launched.out.parents[2]
    resumed = maskdet(folder, "train", "--workers", "2", "--resume")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    state = read_state(launched.out)
    assert state is not None
    assert (state.epoch, state.finished) == (EPOCHS, True)
    assert state.best_ap50 is not None
    assert state.best_ap50 >= ended.best_ap50
    epochs = [event["epoch"] for event in read_metrics(launched.out) if event["event"] == "epoch"]
    assert epochs == list(range(1, EPOCHS + 1))
    assert (launched.out / "best.pdparams").is_file()
    assert not (launched.out / LAUNCHER_DIR).exists()


def test_sigkill_of_the_parent_ends_the_tree(launch: Callable[[], Launched]) -> None:
    launched = launch()
    launched.reach_epoch(1)
    launched.end(signal.SIGKILL)
    assert left_of(launched.tree) == []


def test_sigkill_of_one_worker_ends_both_and_is_told(launch: Callable[[], Launched]) -> None:
    launched = launch()
    launched.reach_epoch(1)
    launched.workers[1].kill()
    said, _ = launched.process.communicate(timeout=60)
    assert launched.process.returncode == TrainingError.exit_code, said
    assert left_of(launched.tree) == []
    assert not (launched.out / LAUNCHER_DIR).exists()
    assert "worker" in said
    assert "--resume" in said or "worker.log" in said
