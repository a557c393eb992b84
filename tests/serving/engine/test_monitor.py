"""What the server counts of the pictures that it answers, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import LABELS, paint, write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.profile import Profile
from maskdet.drift.features import Bins
from maskdet.drift.history import History
from maskdet.drift.profile import take_profile
from maskdet.serving.engine import monitor as monitor_module
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.monitor import Monitor, _sighting
from maskdet.serving.engine.served_model import PictureResult, ServedModel, Work
from maskdet.serving.settings import ServeSettings
from maskdet.types import Picture

SETTINGS = ServeSettings()
HOUR = 3600.0
START = 491_000 * HOUR


def scene(draw: np.random.Generator) -> Picture:
    """Grey of some brightness with one to three faces."""
    cells = {
        (int(draw.integers(8)), int(draw.integers(8))): LABELS[int(draw.integers(3))]
        for _ in range(draw.integers(1, 4))
    }
    picture = paint(cells, 64, 64)
    empty = (picture == 0).all(axis=2)
    picture[empty] = np.clip(draw.normal(draw.uniform(40, 200), 20, (64, 64, 3)), 0, 255)[empty]
    return picture


def png(picture: Picture) -> bytes:
    return cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    path = write_tiny_bundle(tmp_path_factory.mktemp("plain") / "tiny.onnx")
    return ServedModel("tiny", load_bundle(path), SETTINGS, cores=1)


@pytest.fixture(scope="module")
def profile(plain: ServedModel) -> Profile:
    draw = np.random.default_rng(0)
    return take_profile([_sighting(looked(plain, scene(draw))) for _ in range(200)], LABELS)


@pytest.fixture(scope="module")
def model(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    path = write_tiny_bundle(tmp_path_factory.mktemp("known") / "tiny.onnx", profile=profile)
    return ServedModel("tiny", load_bundle(path), SETTINGS, cores=1)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def looked(model: ServedModel, picture: Picture, **options: Any) -> PictureResult:
    [result] = model.detect([model.prepare(Work(picture, **options))], alone=True)
    return result


def verdicts(monitor: Monitor, version: str, hours: int = 24) -> dict[str, str]:
    return {one.feature: one.verdict for one in monitor.history(hours).drift("tiny", version, 0.25)}


def test_the_same_kind_of_pictures_has_not_drifted_and_a_dark_one_has(
    model: ServedModel, clock: Clock
) -> None:
    monitor, draw, version = Monitor(SETTINGS, clock), np.random.default_rng(1), model.sha256[:12]
    monitor.answers("tiny", model)
    for _ in range(250):
        monitor.observe([looked(model, scene(draw))], "gate", 0)
        dark = looked(model, cv2.convertScaleAbs(scene(draw), alpha=0.3))
        monitor.observe([dark], "cellar", 0)

    history = monitor.history(24)
    gate, cellar = (
        {one.feature: one.verdict for one in history.drift("tiny", version, 0.25, camera=name)}
        for name in ("gate", "cellar")
    )

    assert set(gate.values()) == {"stable"}
    assert {name for name, verdict in cellar.items() if verdict == "drift"} >= {"brightness", "faces"}
    assert history.cameras("tiny", version) == ["cellar", "gate"]


def test_few_pictures_are_too_few(model: ServedModel, clock: Clock) -> None:
    monitor = Monitor(SETTINGS, clock)
    monitor.answers("tiny", model)
    monitor.observe([looked(model, np.zeros((64, 64, 3), np.uint8))] * 5, "", 0)

    assert set(verdicts(monitor, model.sha256[:12]).values()) == {"too few"}


def test_a_clients_options_do_not_change_what_is_counted(model: ServedModel, clock: Clock) -> None:
    picture = paint({(1, 1): "with_mask", (2, 5): "without_mask", (5, 5): "with_mask"}, 64, 64)

    plain = _sighting(looked(model, picture))
    limited = _sighting(looked(model, picture, max_detections=1))
    everything = _sighting(looked(model, picture, candidates=True))
    strict = _sighting(looked(model, picture, threshold=0.99))

    assert plain == limited == everything
    assert len(plain.values["score"]) == 3
    assert (strict.own, set(strict.values)) == (False, {"brightness", "blur"})


def test_counts_survive_a_restart_and_swaps_are_marked(
    model: ServedModel, plain: ServedModel, clock: Clock, tmp_path: Path
) -> None:
    settings = ServeSettings(monitor=tmp_path)
    first = Monitor(settings, clock)
    first.answers("tiny", plain)
    first.observe([looked(plain, np.zeros((64, 64, 3), np.uint8))] * 2, "gate", 1)
    first.start()
    first.close()
    clock.now += 2.5 * HOUR

    second = Monitor(settings, clock)
    second.answers("tiny", model)
    second.observe([looked(model, np.zeros((64, 64, 3), np.uint8))], "gate", 0)
    history = second.history(24)

    old, new = plain.sha256[:12], model.sha256[:12]
    assert (history.tally("tiny", old).pictures, history.tally("tiny", new).pictures) == (2, 1)
    assert history.used() == [("tiny", old), ("tiny", new)]
    assert [(swap.old, swap.new) for swap in history.swaps()] == [(old, new)]
    assert [(hour.requests, hour.faults) for _, hour in sorted(history.found.items())] == [(1, 1), (1, 0)]
    assert history.versions[new].profile == model.meta.profile
    assert second.history(1).tally("tiny", old).pictures == 0


def test_hours_that_left_memory_are_counted_once(model: ServedModel, clock: Clock, tmp_path: Path) -> None:
    monitor = Monitor(ServeSettings(monitor=tmp_path, monitor_days=1), clock)
    monitor.answers("tiny", model)
    black = looked(model, np.zeros((64, 64, 3), np.uint8))
    counted = []
    for _ in range(30):
        monitor.observe([black], "", 0)
        monitor._write()
        clock.now += HOUR
        counted.append(monitor.history(1000).tally("tiny", model.sha256[:12]).pictures)

    # Of a day, the present hour is still empty.
    assert counted == [min(number, 23) for number in range(1, 31)]
    assert len(monitor._counted) <= 3


def test_without_a_folder_memory_ends_after_two_days(model: ServedModel, clock: Clock) -> None:
    monitor = Monitor(SETTINGS, clock)
    monitor.answers("tiny", model)
    black = looked(model, np.zeros((64, 64, 3), np.uint8))
    for _ in range(60):
        monitor.observe([black], "", 0)
        clock.now += HOUR

    assert len(monitor._counted) == monitor_module.MEMORY_HOURS
    assert (
        monitor.history(10_000).tally("tiny", model.sha256[:12]).pictures == monitor_module.MEMORY_HOURS - 1
    )


def test_a_full_disk_stops_no_counting_and_is_made_up_for(
    model: ServedModel, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = Monitor(ServeSettings(monitor=tmp_path), clock)
    monitor.answers("tiny", model)
    monitor.observe([looked(model, np.zeros((64, 64, 3), np.uint8))], "", 0)
    with monkeypatch.context() as patch:
        patch.setattr("json.dumps", _full)
        with pytest.raises(OSError, match="No space left"):
            monitor._write()
    monitor._write()

    other = Monitor(ServeSettings(monitor=tmp_path), clock)
    assert other.history(1).tally("tiny", model.sha256[:12]).pictures == 1


def _full(*_: object, **__: object) -> str:
    raise OSError(28, "No space left on device")


@pytest.fixture
def app(model: ServedModel, in_process: Callable[..., Any]) -> Any:
    made = in_process()
    made.engine.swap("tiny", model)
    return made


def gauges(app: Any) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels["feature"]): sample.value
        for family in text_string_to_metric_families(app.get("/metrics").text)
        for sample in family.samples
        if sample.name.startswith("maskdet_drift")
    }


def test_requests_reach_the_gauges(app: Any) -> None:
    assert gauges(app)["maskdet_drift", "brightness"] == -1
    body = png(np.zeros((64, 64, 3), np.uint8))
    monitor: Monitor = app.engine.monitor
    result = looked(app.engine.models["tiny"], np.zeros((64, 64, 3), np.uint8))
    for _ in range(300):
        monitor.observe([result], "", 0)
    app.post("/v1/detect", content=body, headers={"content-type": "image/png", "x-camera": "gate"})

    found = gauges(app)

    assert found["maskdet_drift", "brightness"] == 1
    assert found["maskdet_drift_samples", "brightness"] == 301
    assert found["maskdet_drift_psi", "brightness"] > 0.25 > found["maskdet_drift_psi_chance", "brightness"]
    assert ("maskdet_drift_psi", "score") not in found


def test_a_swap_during_a_scrape_leaves_the_version_before_it_in_the_gauges(
    app: Any, plain: ServedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine: Engine = app.engine
    history = engine.monitor.history

    def slow(hours: int) -> History:
        found = history(hours)
        engine.swap("tiny", plain)
        return found

    monkeypatch.setattr(engine.monitor, "history", slow)

    assert gauges(app)["maskdet_drift", "brightness"] == -1
    assert engine.versions()["tiny"] == plain.sha256[:12]


def test_the_engine_tells_its_own_versions(app: Any) -> None:
    engine: Engine = app.engine
    assert engine.versions() == {"tiny": engine.models["tiny"].sha256[:12]}


def test_one_bundle_under_two_names_has_two_histories(
    model: ServedModel, clock: Clock, tmp_path: Path
) -> None:
    settings = ServeSettings(monitor=tmp_path)
    renamed = ServedModel("hall", load_bundle(write_tiny_bundle(tmp_path / "x.onnx")), SETTINGS, cores=1)
    renamed.meta, renamed.sha256 = model.meta, model.sha256
    black, version = np.zeros((64, 64, 3), np.uint8), model.sha256[:12]
    for name, one, count in (("tiny", model, 2), ("hall", renamed, 3)):
        monitor = Monitor(settings, clock)
        monitor.answers(name, one)
        monitor.observe([looked(one, black)] * count, "", 0)
        monitor.start()
        monitor.close()

    history = Monitor(settings, clock).history(1)

    assert {one: history.tally(*one).pictures for one in history.used()} == {
        ("tiny", version): 2,
        ("hall", version): 3,
    }


def test_a_version_keeps_the_bins_that_it_was_first_counted_in(
    plain: ServedModel, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an update of maskdet that has other bins."""
    settings, black = ServeSettings(monitor=tmp_path), looked(plain, np.zeros((64, 64, 3), np.uint8))
    for edges in ({"brightness": (10.0, 20.0)}, {"brightness": (1.0, 2.0, 3.0)}):
        monkeypatch.setattr("maskdet.drift.features.EDGES", edges)
        monkeypatch.setattr(Bins.__init__, "__defaults__", (edges,))
        monitor = Monitor(settings, clock)
        monitor.answers("tiny", plain)
        monitor.observe([black], "", 0)
        monitor.start()
        monitor.close()

    counted = Monitor(settings, clock).history(1).tally("tiny", plain.sha256[:12])

    assert (counted.pictures, counted.counts) == (2, {"brightness": [2, 0, 0]})
