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

from maskdet.errors import BundleError
from maskdet.serving.engine import batching
from maskdet.serving.engine.batching import ENGINE_BATCH, SIZES, BatchPlan, measure_batches, plan_batches
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.queue import JobQueue
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.settings import ServeSettings


class Device:
    """Passes that take as long as the device's model says, by a clock that only passes move."""

    def __init__(self, fixed_ms: float, each_ms: float, most: int = 64) -> None:
        self._fixed, self._each, self._most = fixed_ms / 1000, each_ms / 1000, most
        self.now = 0.0
        self.passes: list[int] = []

    def run(self, pictures: int) -> None:
        self.passes.append(pictures)
        if pictures > self._most:
            raise BundleError("Failed to allocate memory for requested buffer")
        self.now += self._fixed + self._each * pictures


def device(monkeypatch: pytest.MonkeyPatch, *figures: float) -> Device:
    made = Device(*figures)  # type: ignore[arg-type]
    monkeypatch.setattr("maskdet.serving.engine.batching.time.perf_counter", lambda: made.now)
    return made


@pytest.mark.parametrize(
    ("figures", "best", "measured"),
    [
        ((0, 2), 1, SIZES[:2]),  # nothing is saved: a pass of two takes twice as long
        ((1.5, 1), 8, SIZES[:5]),  # 16 pictures in 17.5 ms are 1.09 times 8 in 9.5 ms
        ((5, 0.1), 64, SIZES),
        ((19, 10), 8, SIZES[:5]),  # 16 would take 179 ms
        ((5, 0.1, 4), 4, SIZES[:3]),  # there is no memory for 8
    ],
)
def test_the_largest_batch_that_pays(
    monkeypatch: pytest.MonkeyPatch, figures: tuple[float, ...], best: int, measured: tuple[int, ...]
) -> None:
    one = device(monkeypatch, *figures)
    plan = plan_batches(one.run, ServeSettings(device="gpu"))
    assert plan.pictures == best
    assert tuple(measure_batches(one.run)) == measured


def test_a_device_that_cannot_run_one_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    one = device(monkeypatch, 5, 0.1, 0)
    with pytest.raises(BundleError, match="allocate"):
        measure_batches(one.run)


@pytest.mark.parametrize(
    ("settings", "plan"),
    [
        ({"device": "cpu"}, BatchPlan(1, 0.0, waits_idle=False)),
        ({"device": "cpu", "max_batch": 4}, BatchPlan(4, 0.0, waits_idle=False)),
        ({"device": "cpu", "max_batch": 4, "batch_wait_ms": 2}, BatchPlan(4, 0.002)),
        ({"device": "gpu", "max_batch": 1}, BatchPlan(1, 0.0, waits_idle=False)),
        ({"device": "gpu", "max_batch": 4}, BatchPlan(4, 0.005, waits_idle=False)),
        ({"device": "gpu", "max_batch": 4, "batch_wait_ms": 0}, BatchPlan(4, 0.0)),
        ({"device": "gpu", "tensorrt": Path("x")}, BatchPlan(ENGINE_BATCH, 0.005, waits_idle=False)),
    ],
)
def test_what_is_given_is_kept(
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


def test_a_model_measures_its_batches_on_the_gpu_within_its_memory(
    on_gpu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = report_cuda(monkeypatch)
    monkeypatch.setattr(session, "most_pictures", 2)
    monkeypatch.setattr(batching, "PAYS", 0.0)  # whatever this machine's figures are, only memory ends it
    model = on_gpu(gpu_memory_mb=512)
    model.probe()
    assert model.batches.pictures == 2
    assert 0 < model.batches.wait_seconds < 1
    # Twice on the CPU would mean that there is a second session.
    assert [asked[0][0] for asked in session.opened].count("CUDAExecutionProvider") == 1
    assert session.opened[-1][0][1]["gpu_mem_limit"] == str(512 * 2**20)


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
