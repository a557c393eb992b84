"""Sessions of a GPU, which is only reported: one for each size of a batch, within the memory of all."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reported_cuda import ReportingSession, report_cuda
from support import paint

from maskdet.errors import BundleError
from maskdet.serving.engine import batching
from maskdet.serving.engine.daemon_thread import DaemonThread
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.served_model import ServedModel, Work
from maskdet.serving.engine.sized_sessions import OneAtATime, SizedSessions, open_all, shares
from maskdet.serving.settings import ServeSettings

Make = Callable[..., ServedModel]


class Echo:
    """A session whose scores are the brightness of each picture; knows the batches that it ran."""

    def __init__(self, memory_mb: int = 0) -> None:
        self.memory_mb = memory_mb
        self.batches: list[int] = []

    def run(self, batch: Any) -> Any:
        self.batches.append(len(batch))
        means = batch.reshape(len(batch), -1).mean(1)
        return np.zeros((len(batch), 1, 4), np.float32), means.reshape(-1, 1, 1).astype(np.float32)


def test_a_batch_runs_in_the_next_larger_size() -> None:
    sessions = {1: Echo(), 4: Echo(), 8: Echo()}
    sized = SizedSessions(sessions)
    for count in (1, 2, 3, 4, 5, 8):
        pictures = np.stack([np.full((2, 2, 3), 10 + place, np.uint8) for place in range(count)])
        boxes, scores = sized.run(pictures)
        assert len(boxes) == count
        assert scores.ravel().tolist() == [10 + place for place in range(count)]
    assert {size: session.batches for size, session in sessions.items()} == {1: [1], 4: [4] * 3, 8: [8] * 2}


def test_a_pass_larger_than_every_size_is_an_error() -> None:
    with pytest.raises(BundleError, match=r"3 pictures is larger than the largest session, of 2"):
        SizedSessions({1: Echo(), 2: Echo()}).run(np.zeros((3, 2, 2, 3), np.uint8))


def test_the_sizes_share_the_memory() -> None:
    opened: list[int] = []

    def open_session(memory_mb: int) -> Echo:
        opened.append(memory_mb)
        return Echo(memory_mb)

    sized = open_all(open_session, (1, 2, 4, 8, 16, 32), 4096, lambda session, size: None)
    assert opened == sorted(opened, reverse=True), "the largest one, which fails first, is tried first"
    assert 4096 - 6 < sum(opened) <= 4096
    assert sized.sizes == (1, 2, 4, 8, 16, 32)
    assert shares(512, (1,)) == {1: 512}


def test_passes_share_one_thread_and_never_overlap() -> None:
    threads: set[int] = set()
    at_once: list[int] = []
    running: list[None] = []

    class Noted(Echo):
        def run(self, batch: Any) -> Any:
            threads.add(threading.get_ident())
            running.append(None)
            at_once.append(len(running))
            time.sleep(0.002)
            running.pop()
            return super().run(batch)

    thread = DaemonThread("gpu")
    sized = SizedSessions({size: OneAtATime(Noted(), thread) for size in (1, 2)})
    with ThreadPoolExecutor(8) as clients:
        found = list(clients.map(lambda count: sized.run(np.zeros((count, 2, 2, 3), np.uint8)), [1, 2] * 8))
    assert [len(boxes) for boxes, _ in found] == [1, 2] * 8
    assert len(threads) == 1
    assert set(at_once) == {1}


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> type[ReportingSession]:
    # Whatever this machine's figures are, each size is worth its session, and only memory ends them.
    monkeypatch.setattr(batching, "best_batch", max)
    monkeypatch.setattr(batching, "distinct_sizes", tuple)
    return report_cuda(monkeypatch)


@pytest.fixture
def make(tiny_bundle: Path) -> Make:
    def made(**settings: Any) -> ServedModel:
        return ServedModel.load("", tiny_bundle, ServeSettings(device="gpu", **settings), cores=2)

    return made


def test_each_session_sees_one_shape(cuda: type[ReportingSession], make: Make) -> None:
    model = make()
    model.probe()
    assert model.batches.pictures == 32
    assert 0 < model.batches.wait_seconds < 5
    pictures = [model.prepare(Work(paint({(1, place + 1): "with_mask"}))) for place in range(3)]
    for count in (1, 2, 3, 1):
        results = model.detect(pictures[:count], alone=False)
        assert [len(result.detections) for result in results] == [1] * count
    shapes = [set(session.shapes) for session in cuda.sessions if session.shapes]
    assert all(len(seen) == 1 for seen in shapes)
    assert {len(seen) for seen in shapes} == {1}


def test_as_many_sizes_as_the_memory_has_room_for(
    cuda: type[ReportingSession],
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(cuda, "most_pictures", 2)
    model = make(gpu_memory_mb=512)
    with caplog.at_level(logging.WARNING):
        model.probe()
    assert model.batches.pictures == 2
    limits = [int(asked[0][1]["gpu_mem_limit"]) for asked in cuda.opened if asked[0][0].startswith("CUDA")]
    assert sum(limits[-2:]) <= 512 * 2**20
    failed = [record.fields["pictures"] for record in caplog.records]  # type: ignore[attr-defined]
    assert failed == [32, 16, 8, 4]


def test_a_gpu_without_room_for_one_picture_is_an_error(
    cuda: type[ReportingSession], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "most_pictures", 0)
    with pytest.raises(BundleError, match="too little free memory") as caught:
        make().probe()
    assert "serve.gpu_memory_mb" in caught.value.hint


def test_a_batch_that_was_asked_for_has_to_fit(
    cuda: type[ReportingSession], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "most_pictures", 4)
    with pytest.raises(BundleError, match="batch of 8x"):
        make(max_batch=8).probe()
    model = make(max_batch=4)
    model.probe()
    assert model.batches.pictures == 4


def test_pictures_before_the_probe_are_answered_one_by_one(cuda: type[ReportingSession], make: Make) -> None:
    model = make(max_batch=4, batch_wait_ms=200)
    engine = Engine({"tiny": model}, ServeSettings(threads=2))
    engine.start()
    work = Work(paint({(1, 1): "with_mask"}))

    async def early() -> list[Any]:
        outcomes = await engine.submit_all([work] * 3)
        await engine.probe()
        return [*outcomes, *await engine.submit_all([work] * 4)]

    try:
        outcomes = asyncio.run(early())
    finally:
        engine.close()

    assert [len(outcome.detections) for outcome in outcomes] == [1] * 7
    assert model.batches.pictures == 4
