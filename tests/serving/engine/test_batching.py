"""How many pictures share a pass: measured on a GPU, told by the settings, one on the CPU."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from reported_cuda import report_cuda
from support import paint

from maskdet.serving.engine.batching import (
    ENGINE_BATCH,
    SIZES,
    BatchPlan,
    measure,
    plan_batches,
    plan_measured,
    sizes_to_measure,
)
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.queue import JobQueue
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.settings import ServeSettings


class Device:
    """Passes that take as long as the device's model says, by a clock that only passes move."""

    def __init__(self, fixed_ms: float, each_ms: float) -> None:
        self._fixed, self._each = fixed_ms / 1000, each_ms / 1000
        self.now = 0.0
        self.passes: list[int] = []

    def run(self, pictures: int) -> None:
        self.passes.append(pictures)
        self.now += self._fixed + self._each * pictures


def device(monkeypatch: pytest.MonkeyPatch, *figures: float) -> Device:
    made = Device(*figures)
    monkeypatch.setattr("maskdet.serving.engine.timing.time.perf_counter", lambda: made.now)
    return made


@pytest.mark.parametrize(
    ("figures", "best", "used"),
    [
        ((0, 2), 1, (1,)),  # nothing is saved: a pass of two takes twice as long
        ((1.5, 1), 8, (1, 2, 4, 8)),  # 16 pictures in 17.5 ms are 1.09 times 8 in 9.5 ms
        ((5, 0.1), 32, (2, 8, 16, 32)),  # 4 pictures in 5.4 ms are hardly faster than 8 in 5.8 ms
        ((19, 10), 8, (1, 2, 4, 8)),  # 16 would take 179 ms
    ],
)
def test_the_largest_batch_that_pays_and_sizes_that_make_a_difference(
    monkeypatch: pytest.MonkeyPatch, figures: tuple[float, ...], best: int, used: tuple[int, ...]
) -> None:
    one, settings = device(monkeypatch, *figures), ServeSettings(device="gpu")
    seconds = measure(one.run, sizes_to_measure(settings))
    assert tuple(seconds) == SIZES
    plan, kept = plan_measured(seconds, settings)
    assert (plan.pictures, tuple(kept)) == (best, used)
    assert plan.wait_seconds == pytest.approx(seconds[used[0]] if best > 1 else 0)
    assert not plan.waits_idle


@pytest.mark.parametrize(
    ("settings", "plan", "measured"),
    [
        ({"max_batch": 1}, BatchPlan(1, 0.0, waits_idle=False), (1,)),
        ({"max_batch": 4}, BatchPlan(4, 0.005, waits_idle=False), (1, 2, 4)),
        ({"max_batch": 6, "batch_wait_ms": 0}, BatchPlan(6, 0.0), (1, 2, 4, 6)),
    ],
)
def test_a_given_batch_is_kept_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], plan: BatchPlan, measured: tuple[int, ...]
) -> None:
    given = ServeSettings(device="gpu", **settings)
    seconds = measure(device(monkeypatch, 4, 1).run, sizes_to_measure(given))
    found, kept = plan_measured(seconds, given)
    assert (tuple(seconds), tuple(kept)) == (measured, measured)
    assert (found.pictures, found.waits_idle) == (plan.pictures, plan.waits_idle)
    assert found.wait_seconds == pytest.approx(plan.wait_seconds)


@pytest.mark.parametrize(
    ("settings", "plan"),
    [
        ({"device": "cpu"}, BatchPlan(1, 0.0, waits_idle=False)),
        ({"device": "cpu", "max_batch": 4}, BatchPlan(4, 0.0, waits_idle=False)),
        ({"device": "cpu", "max_batch": 4, "batch_wait_ms": 2}, BatchPlan(4, 0.002)),
        ({"device": "gpu", "tensorrt": Path("x")}, BatchPlan(ENGINE_BATCH, 0.005, waits_idle=False)),
    ],
)
def test_what_is_given_is_kept_where_sessions_run_any_batch(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], plan: BatchPlan
) -> None:
    one = device(monkeypatch, 4, 1)
    found = plan_batches(one.run, ServeSettings(**settings))
    assert (found.pictures, found.waits_idle) == (plan.pictures, plan.waits_idle)
    assert found.wait_seconds == pytest.approx(plan.wait_seconds)
    # Engines are built for the range of batches that have run: the largest comes first.
    assert one.passes[0] == plan.pictures
    assert one.passes[-1] == 1


def test_tensorrt_needs_a_gpu() -> None:
    with pytest.raises(ValidationError, match="tensorrt needs a GPU"):
        ServeSettings(tensorrt=Path("engines"))


@pytest.fixture
def on_gpu(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A maker of models on a reported GPU."""
    report_cuda(monkeypatch)

    def make(name: str = "", **settings: Any) -> ServedModel:
        return ServedModel.load(name, tiny_bundle, ServeSettings(device="gpu", **settings), cores=2)

    return make


def test_each_model_keeps_to_its_own_batch(on_gpu: Any, tiny_bundle: Path) -> None:
    small, large = on_gpu("small", max_batch=2), on_gpu("large", max_batch=4)
    settings = ServeSettings(device="gpu", threads=1, max_batch=4, batch_wait_ms=1000)
    engine = Engine({"small": small, "large": large}, settings)
    passes: list[tuple[str, int]] = []
    for model in (small, large):
        model.probe()

        def noted(batch: Any, *, alone: bool, model: ServedModel = model) -> Any:
            passes.append((model.name, len(batch)))
            return ServedModel.detect(model, batch, alone=alone)

        model.detect = noted  # type: ignore[method-assign]
    works = [Work(paint({(1, 1): "with_mask"}), model=name) for name in ("small",) * 3 + ("large",)]
    jobs = engine._queue.put(works)
    engine.start()
    try:
        results = [job.future.result(30) for job in jobs]
    finally:
        engine.close()
    assert passes == [("small", 2), ("small", 1), ("large", 1)]
    assert all(len(result.detections) == 1 for result in results)


def test_a_lone_picture_waits_for_no_others() -> None:
    queue: JobQueue[int, int] = JobQueue(max_jobs=8, max_wait_seconds=60, threads=2)
    queue.put([1])
    first = queue.take(4, 3600, waits_idle=False)
    assert first is not None
    assert (len(first.jobs), first.alone) == (1, True)
    # While it runs, the next ones wait for each other.
    queue.put([2])
    taken: list[Any] = []
    thread = threading.Thread(target=lambda: taken.append(queue.take(2, 3600, waits_idle=False)))
    thread.start()
    queue.put([3])
    thread.join(30)
    assert [[job.work for job in batch.jobs] for batch in taken] == [[2, 3]]


def test_a_server_on_the_cpu_measures_nothing(tiny_bundle: Path) -> None:
    model = ServedModel.load("", tiny_bundle, ServeSettings(), cores=1)
    runs: list[int] = []

    class Counting:
        def run(self, batch: np.ndarray) -> Any:
            runs.append(len(batch))
            return np.zeros(1), np.zeros(1)

    model._sessions._both = (Counting(), Counting())  # type: ignore[assignment]
    model.probe()
    assert runs == [1, 1]
