from __future__ import annotations

import asyncio
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support import LABELS, cell_box, paint

from maskdet.errors import EnvironmentProblem, MaskdetError, PictureError
from maskdet.serving.engine import served_model
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.served_model import PictureResult, ServedModel, Work
from maskdet.serving.refusals import BadOption, Busy, Draining, UnknownModel
from maskdet.serving.settings import ServeSettings
from maskdet.system.machine import core_count

WORK = Work(paint({(1, 1): "with_mask"}))


class Gated(ServedModel):
    """The real model, but a pass waits until the gate is opened; it notes how each pass was run."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.gate = threading.Event()
        self.entered = threading.Semaphore(0)
        self.passes: list[tuple[int, bool]] = []

    def detect(self, batch: Any, *, alone: bool) -> Iterator[PictureResult | Exception]:
        self.passes.append((len(batch), alone))
        self.entered.release()
        assert self.gate.wait(30)
        return super().detect(batch, alone=alone)


def test_pictures_that_wait_for_a_pass_keep_pixels_only_to_be_drawn(tiny_bundle: Path) -> None:
    model = ServedModel.load("", tiny_bundle, ServeSettings(), cores=1)
    data = cv2.imencode(".png", np.zeros((1500, 1500, 3), np.uint8))[1].tobytes()
    model.prepare(Work(data))
    held = []
    for drawn in (False, True):
        tracemalloc.start()
        try:
            waiting = [model.prepare(Work(data, drawn=drawn)) for _ in range(4)]
            held.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert len(waiting) == 4
    assert held[0] < 1_000_000 < 4 * 1500 * 1500 * 3 <= held[1]


@pytest.fixture
def gated(tiny_bundle: Path) -> Iterator[Any]:
    """A maker of (engine, model) with the gate closed; it takes ServeSettings as keywords."""
    made: list[tuple[Engine, Gated]] = []

    def make(**settings: Any) -> tuple[Engine, Gated]:
        wanted = ServeSettings(**settings)
        model = Gated.load("", tiny_bundle, wanted, cores=2)
        assert isinstance(model, Gated)
        engine = Engine({"tiny": model}, wanted)
        engine.start()
        made.append((engine, model))
        return engine, model

    yield make
    for engine, model in made:
        model.gate.set()
        engine.close()


async def entered(model: Gated) -> None:
    assert await asyncio.to_thread(model.entered.acquire, timeout=30)


def test_lone_picture_gets_all_cores_and_a_crowd_one_each(gated: Any) -> None:
    engine, model = gated(threads=2)

    async def crowd() -> None:
        first = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        others = [asyncio.ensure_future(engine.submit(WORK)) for _ in range(3)]
        await entered(model)
        model.gate.set()
        await asyncio.gather(first, *others)

    asyncio.run(crowd())

    assert model.passes[:2] == [(1, True), (1, False)]
    assert model.passes[2] == (1, False)


def test_full_queue_is_busy_and_keeps_what_it_has(gated: Any) -> None:
    engine, model = gated(threads=1, max_queue=2, max_files=2)

    async def overfill() -> None:
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        waiting = asyncio.ensure_future(engine.submit_all([WORK, WORK]))
        await asyncio.sleep(0)
        with pytest.raises(Busy) as refused:
            await engine.submit(WORK)
        with pytest.raises(Busy):
            engine.check_room()
        assert refused.value.retry_after_seconds >= 1
        assert not isinstance(refused.value, Draining)
        model.gate.set()
        assert len((await running).detections) == 1
        assert len(await waiting) == 2

    asyncio.run(overfill())


def test_requests_before_the_first_answer_cannot_fail_the_probe(gated: Any) -> None:
    engine, model = gated(threads=1, max_queue=1, max_files=1, queue_seconds=0.2)

    async def early_crowd() -> None:
        early = [asyncio.ensure_future(engine.submit(WORK))]
        await entered(model)
        early.append(asyncio.ensure_future(engine.submit(WORK)))
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await engine.submit(WORK)
        probe = asyncio.ensure_future(engine.probe())
        await asyncio.sleep(0.3)
        assert engine.state == "starting"
        model.gate.set()
        await probe
        assert engine.state == "ready"
        assert (await early[0]).detections
        with pytest.raises(Busy, match="waited"):
            await early[1]

    asyncio.run(early_crowd())


def test_request_that_does_not_fit_whole_is_refused_whole(gated: Any) -> None:
    engine, model = gated(threads=1, max_queue=3, max_files=3)

    async def overfill() -> None:
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        waiting = asyncio.ensure_future(engine.submit_all([WORK] * 2))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await engine.submit_all([WORK] * 2)
        assert engine.queue_depth == 2
        model.gate.set()
        await asyncio.gather(running, waiting)

    asyncio.run(overfill())


def test_cancelled_request_gives_its_place_back(gated: Any) -> None:
    engine, model = gated(threads=1, max_queue=1, max_files=1)

    async def leave() -> None:
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        leaver = asyncio.ensure_future(engine.submit(WORK))
        await asyncio.sleep(0)
        assert engine.queue_depth == 1
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        assert engine.queue_depth == 0
        stayer = asyncio.ensure_future(engine.submit(WORK))
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(running, stayer)

    asyncio.run(leave())
    assert len(model.passes) == 2


def test_picture_that_waited_too_long_is_busy(gated: Any) -> None:
    engine, model = gated(threads=1, queue_seconds=0.05)

    async def wait() -> None:
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        late = asyncio.ensure_future(engine.submit(WORK))
        await asyncio.sleep(0.1)
        model.gate.set()
        await running
        with pytest.raises(Busy, match="waited"):
            await late

    asyncio.run(wait())


def test_later_pictures_of_a_begun_request_do_not_expire(gated: Any) -> None:
    engine, model = gated(threads=1, queue_seconds=0.05)

    async def wait() -> list[Any]:
        request = asyncio.ensure_future(engine.submit_all([WORK, WORK]))
        await entered(model)
        await asyncio.sleep(0.1)
        model.gate.set()
        return await request

    assert all(isinstance(outcome, PictureResult) for outcome in asyncio.run(wait()))


def test_foreseeable_wait_is_refused_at_once(gated: Any) -> None:
    engine, model = gated(threads=1, queue_seconds=0.05)

    async def overfill() -> None:
        first = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        await asyncio.sleep(0.2)
        model.gate.set()
        await first  # its 0.2 s are now the expected service time
        model.gate.clear()
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        waiting = asyncio.ensure_future(engine.submit(WORK))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="the wait might be"):
            await engine.submit(WORK)
        model.gate.set()
        # On a busy machine the second may have waited too long by now.
        await asyncio.gather(running, waiting, return_exceptions=True)

    asyncio.run(overfill())


def test_batch_waits_for_more_pictures_up_to_its_size(gated: Any) -> None:
    engine, model = gated(threads=1, max_batch=4, batch_wait_ms=1000)
    model.gate.set()

    async def five() -> list[PictureResult]:
        return await asyncio.gather(*(engine.submit(WORK) for _ in range(4)))

    results = asyncio.run(five())

    assert model.passes == [(4, False)]
    assert all(len(result.detections) == 1 for result in results)


def test_bad_picture_in_a_batch_spoils_no_other(gated: Any) -> None:
    engine, model = gated(threads=1, max_batch=3, batch_wait_ms=1000)
    model.gate.set()

    async def three() -> list[PictureResult | MaskdetError]:
        return await engine.submit_all([WORK, Work(b"no picture"), WORK])

    good, bad, fine = asyncio.run(three())

    assert isinstance(good, PictureResult)
    assert isinstance(bad, PictureError)
    assert isinstance(fine, PictureResult)
    assert model.passes == [(2, False)]


def test_drain_answers_what_was_accepted_and_refuses_the_rest(gated: Any) -> None:
    engine, model = gated(threads=1)

    async def drain() -> None:
        accepted = [asyncio.ensure_future(engine.submit(WORK)) for _ in range(3)]
        await entered(model)
        engine.drain()
        with pytest.raises(Draining):
            await engine.submit(WORK)
        assert engine.state == "draining"
        model.gate.set()
        assert await engine.drained()
        assert all(len(result.detections) == 1 for result in await asyncio.gather(*accepted))

    asyncio.run(drain())


def test_drain_gives_up_after_its_time(gated: Any) -> None:
    engine, model = gated(threads=1, drain_seconds=0.05)

    async def drain() -> None:
        stuck = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        engine.drain()
        assert not await engine.drained()
        model.gate.set()
        await stuck

    asyncio.run(drain())


def test_closing_fails_what_still_waits(gated: Any) -> None:
    engine, model = gated(threads=1)

    async def close() -> None:
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        waiting = asyncio.ensure_future(engine.submit(WORK))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(asyncio.to_thread(engine.close))
        with pytest.raises(Draining):
            await waiting
        model.gate.set()
        await asyncio.gather(running, closing)

    asyncio.run(close())
    assert engine.state == "stopped"


def test_threads_that_hang_are_waited_for_together(gated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskdet.serving.engine.engine.CLOSE_SECONDS", 0.5)
    engine, model = gated(threads=4)

    async def hang() -> float:
        works = [asyncio.ensure_future(engine.submit(WORK)) for _ in range(4)]
        for _ in works:
            await entered(model)
        begun = time.monotonic()
        engine.close()
        took = time.monotonic() - begun
        model.gate.set()
        await asyncio.gather(*works)
        return took

    assert 0.5 <= asyncio.run(hang()) < 1.5


def test_picture_behind_a_pass_that_hangs_is_refused_in_time(gated: Any) -> None:
    engine, model = gated(threads=1, queue_seconds=0.3)

    async def hang() -> None:
        running = asyncio.ensure_future(engine.submit(WORK))
        await entered(model)
        begun = time.monotonic()
        with pytest.raises(Busy, match="the picture waited"):
            await asyncio.wait_for(engine.submit(WORK), 20)
        assert time.monotonic() - begun >= 0.3
        assert engine.queue_depth == 0
        model.gate.set()
        await running

    asyncio.run(hang())


def test_failing_pass_reaches_its_request_and_spares_the_thread(
    gated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, model = gated(threads=1)
    model.gate.set()
    quick = model.detect
    monkeypatch.setattr(model, "detect", lambda *a, **o: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(engine.submit(WORK))

    monkeypatch.setattr(model, "detect", quick)
    assert len(asyncio.run(engine.submit(WORK)).detections) == 1


@pytest.fixture
def drawing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(served_model, "draw", draw)


@pytest.mark.usefixtures("drawing_fails")
def test_a_picture_that_cannot_be_drawn_spoils_no_other_of_its_pass(gated: Any) -> None:
    engine, model = gated(threads=1, max_batch=3, batch_wait_ms=1000)
    model.gate.set()
    works = [WORK, Work(WORK.source, drawn=True), WORK]

    async def three() -> list[Any]:
        return await asyncio.gather(*map(engine.submit, works), return_exceptions=True)

    first, drawn, last = asyncio.run(three())

    assert model.passes == [(3, False)]
    assert isinstance(drawn, MemoryError)
    assert len(first.detections) == len(last.detections) == 1


def test_a_picture_waits_for_the_drawing_of_no_later_one(gated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, model = gated(threads=1, max_batch=2, batch_wait_ms=1000)
    model.gate.set()
    answered, draw = threading.Event(), served_model.draw

    def wait(*args: Any, **options: Any) -> Any:
        assert answered.wait(30)
        return draw(*args, **options)

    monkeypatch.setattr(served_model, "draw", wait)

    async def first_the_plain_one() -> PictureResult:
        plain = asyncio.ensure_future(engine.submit(WORK))
        await asyncio.sleep(0)
        drawn = asyncio.ensure_future(engine.submit(Work(WORK.source, drawn=True)))
        result = await plain
        answered.set()
        await drawn
        return result

    assert asyncio.run(first_the_plain_one()).detections


def test_too_little_memory_to_draw_is_no_fault_of_the_picture(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_: Any) -> Any:
        raise PictureError("there is not enough memory to decode the picture", "send a smaller picture")

    monkeypatch.setattr(served_model, "decode", decode)
    model = ServedModel.load("", tiny_bundle, ServeSettings(), cores=1)
    jpeg = cv2.imencode(".jpg", np.zeros((1500, 1500, 3), np.uint8))[1].tobytes()

    [outcome] = model.detect([model.prepare(Work(jpeg, drawn=True))], alone=True)

    assert isinstance(outcome, EnvironmentProblem)
    assert "not enough memory" in outcome.what


def test_options_are_refused_before_they_are_queued(gated: Any) -> None:
    engine, _ = gated()

    with pytest.raises(UnknownModel):
        asyncio.run(engine.submit(Work(WORK.source, model="other")))
    with pytest.raises(BadOption):
        asyncio.run(engine.submit(Work(WORK.source, threshold={"hat": 0.5})))
    assert engine.queue_depth == 0


def test_options_of_one_request_never_reach_another(gated: Any) -> None:
    engine, model = gated(threads=2)
    model.gate.set()
    strict, lax = Work(WORK.source, threshold=1.0), Work(WORK.source, threshold=0.1)

    async def mixed() -> list[MaskdetError | PictureResult]:
        return await engine.submit_all([strict, lax] * 30)

    counts = [len(result.detections) for result in asyncio.run(mixed()) if isinstance(result, PictureResult)]

    assert counts == [0, 1] * 30


def test_one_more_picture_is_at_work_than_there_are_cores(gated: Any) -> None:
    engine, model = gated()

    async def crowd() -> None:
        works = [asyncio.ensure_future(engine.submit(WORK)) for _ in range(core_count() + 3)]
        for _ in range(core_count() + 1):
            await entered(model)
        assert not await asyncio.to_thread(model.entered.acquire, timeout=0.2)
        assert engine.queue_depth == 2
        model.gate.set()
        await asyncio.gather(*works)

    asyncio.run(crowd())


def test_answer_is_the_same_whether_or_not_the_candidates_are_asked_for(gated: Any) -> None:
    engine, model = gated(threads=1, uncertain_band=0.1)
    model.gate.set()
    picture = paint({(1, 1): "with_mask", (3, 3): "without_mask"})
    shades = np.linspace(0, 1, 12)

    async def both(shade: float) -> list[PictureResult]:
        works = [Work((picture * shade).astype(np.uint8), candidates=each) for each in (False, True)]
        return [one for one in await engine.submit_all(works) if isinstance(one, PictureResult)]

    pairs = [asyncio.run(both(shade)) for shade in shades]
    for least, all_of_them in pairs:
        assert np.array_equal(least.detections.boxes, all_of_them.detections.boxes)
        assert least.verdict == all_of_them.verdict
    assert {least.verdict.outcome for least, _ in pairs} == {"ok", "uncertain", "violation"}
    assert any(len(least.candidates) < len(all_of_them.candidates) for least, all_of_them in pairs)


def test_two_clients_never_get_each_others_answer(tiny_bundle: Path) -> None:
    settings = ServeSettings(threads=2, max_batch=2)
    model = ServedModel.load("", tiny_bundle, settings, cores=2)
    engine = Engine({"tiny": model}, settings)
    engine.start()
    wrong: list[str] = []
    answered = [0, 0]

    async def client(number: int, until: float) -> None:
        row, label = 2 * number + 1, LABELS[number]
        done, jpeg = cv2.imencode(".png", paint({(row, 3): label}, 128 + 64 * number, 96)[:, :, ::-1])
        assert done
        box = cell_box(row, 3, 128 + 64 * number, 96)
        while time.monotonic() < until:
            result = await engine.submit(Work(jpeg.tobytes()))
            labels = [model.meta.labels[one] for one in result.detections.class_ids]
            if labels != [label] or not np.allclose(result.detections.boxes, [box], atol=0.01):
                wrong.append(f"client {number} got {labels} {result.detections.boxes.tolist()}")
            answered[number] += 1

    async def both() -> None:
        until = time.monotonic() + 2
        await asyncio.gather(*(client(number, until) for number in (0, 1) for _ in range(4)))

    asyncio.run(both())
    engine.close()

    assert wrong == []
    assert min(answered) > 50
