"""What the server sees, counted by hour, model version and camera, and compared with each model's profile."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from maskdet.detector.answer import answer
from maskdet.drift.history import History
from maskdet.drift.hour import Hour, Key, Start, hour_of
from maskdet.drift.settings import LIMIT
from maskdet.drift.sighting import Sighting, sighting
from maskdet.drift.store import SETTLED_HOURS, Store
from maskdet.drift.version import Version
from maskdet.serving.engine.metrics import SHARED_FOLDER
from maskdet.serving.engine.served_model import PictureResult, ServedModel, bundle_id
from maskdet.serving.settings import ServeSettings

WRITE_SECONDS: Final = 2.0
"""How often the counts are written: the age of other workers' counts, and what a killed one loses."""
MEMORY_HOURS: Final = 48
"""How far back the counts go without a folder."""
WINDOW_HOURS: Final = 24
"""Hours behind the gauges of /metrics."""
_STATES: Final = {"stable": 0, "drift": 1, "too few": -1}

logger = logging.getLogger("maskdet.monitor")


class Monitor:
    """Safe to call from any thread. Without a folder the counts are in memory, and end with the process."""

    def __init__(self, settings: ServeSettings, now: Callable[[], float] = time.time) -> None:
        """Raises ServingError if the folder cannot be written to."""
        folder = settings.monitor or _shared_folder()
        self.kept = settings.monitor is not None
        self.hours = settings.monitor_days * 24 if self.kept else MEMORY_HOURS
        self._now = now
        self._store = Store(folder) if folder else None
        if self._store is not None:
            self._store.prepare()
        self._lock = threading.Lock()
        self._counted: dict[int, Hour] = {}
        self._versions: dict[str, Version] = {}
        self._unwritten: set[int] = set()
        self._tidied = -1
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def answers(self, name: str, model: ServedModel) -> None:
        """From now on this model answers under its name: one version more, or again."""
        version, meta = bundle_id(model), model.meta
        began = self._now()
        known = Version.of(version, began, meta.labels, meta.profile)
        if self._store is not None:
            known = self._store.version(version) or known
        with self._lock:
            self._versions[version] = self._versions.get(version, known).named(model.registered)
            self._hour().start(Start(began, name, version))

    def observe(self, results: list[PictureResult], camera: str, faults: int) -> None:
        """Count one request's pictures; faults: those without an answer."""
        seen = [(_key(result, camera), _sighting(result)) for result in results]
        with self._lock:
            hour = self._hour()
            hour.requests += 1
            hour.faults += faults
            for key, one in seen:
                if key.version in self._versions:
                    hour.count(key, one, self._versions[key.version].bins)

    def history(self, hours: int) -> History:
        """The last so many hours, the present one included."""
        now = self._now()
        last = hour_of(now)
        wanted = range(last - min(hours, self.hours) + 1, last + 1)
        # Those that are over have been written, and perhaps merged with others'.
        oldest = last - SETTLED_HOURS if self._store else wanted.start - 1
        with self._lock:
            versions = dict(self._versions)
            mine = {one: _copy(hour) for one, hour in self._counted.items() if one in wanted and one > oldest}
        found: dict[int, Hour] = {}
        if self._store is not None:
            # A name in the registry may not be written yet.
            stored = self._store.versions()
            named = {one: stored[one].named(own.registered) for one, own in versions.items() if one in stored}
            versions = {**versions, **stored, **named}
            found = self._store.read(wanted, versions, without=mine)
        for number, hour in mine.items():
            found.setdefault(number, Hour()).merge(hour)
        return History(wanted, now, versions, found)

    def start(self) -> None:
        """Begin to write, if there is a folder."""
        if self._store is not None:
            self._thread = threading.Thread(target=self._keep_writing, name="monitor", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _hour(self) -> Hour:
        """The present hour; the lock is held. Old hours leave memory."""
        number = hour_of(self._now())
        if number not in self._counted:
            oldest = number - (SETTLED_HOURS if self._store else self.hours)
            self._counted = {one: hour for one, hour in self._counted.items() if one > oldest}
            self._counted[number] = Hour()
        self._unwritten.add(number)
        return self._counted[number]

    def _keep_writing(self) -> None:
        failed = False
        while True:
            ending = self._closing.wait(WRITE_SECONDS)
            try:
                self._write()
                failed = False
            # Counting goes on whatever is wrong with the folder, and is written once it is right again.
            except Exception:
                if not failed:
                    logger.exception("statistics not written")
                failed = True
            if ending:
                return

    def _write(self) -> None:
        store = self._store
        if store is None:
            return
        with self._lock:
            versions = list(self._versions.values())
            oldest = hour_of(self._now()) - SETTLED_HOURS
            wanted = {one for one in self._unwritten & self._counted.keys() if one > oldest}
            changed = {one: _copy(self._counted[one]) for one in wanted}
            self._unwritten.clear()
        try:
            for version in versions:
                store.write_version(version)
            for number, hour in changed.items():
                store.write(number, hour)
        except BaseException:
            with self._lock:
                self._unwritten |= changed.keys()
            raise
        self._tidy(store)

    def _tidy(self, store: Store) -> None:
        number = hour_of(self._now())
        if number != self._tidied:
            store.tidy(number, self.hours)
            self._tidied = number


class DriftGauges(Collector):
    """For /metrics: the drift of the versions that answer now, over the last `WINDOW_HOURS`."""

    def __init__(self, monitor: Monitor, serving: Callable[[], dict[str, str]]) -> None:
        """`serving`: version by model name."""
        self._monitor = monitor
        self._serving = serving

    def describe(self) -> list[Metric]:
        """Nothing to compute when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        # Before the history, which knows what answered before it was taken, but no version of a later swap.
        serving = self._serving()
        history = self._monitor.history(WINDOW_HOURS)
        about = f"over the last {WINDOW_HOURS} hours"
        labels = ("model", "feature")
        psi = GaugeMetricFamily("maskdet_drift_psi", f"Population stability index {about}", labels=labels)
        chance = GaugeMetricFamily(
            "maskdet_drift_psi_chance",
            "PSI that is exceeded once in a thousand times without drift",
            labels=labels,
        )
        samples = GaugeMetricFamily("maskdet_drift_samples", f"Pictures or faces {about}", labels=labels)
        state = GaugeMetricFamily("maskdet_drift", "1 drift, 0 stable, -1 too few samples", labels=labels)
        for model, version in serving.items():
            for one in history.drift(model, version, LIMIT):
                names = (model, one.feature)
                samples.add_metric(names, one.samples)
                state.add_metric(names, _STATES[one.verdict])
                if one.psi is not None and one.chance is not None:
                    psi.add_metric(names, one.psi)
                    chance.add_metric(names, one.chance)
        yield from (psi, chance, samples, state)


def _key(result: PictureResult, camera: str) -> Key:
    return Key(result.model.name, bundle_id(result.model), camera)


def _sighting(result: PictureResult) -> Sighting:
    found = result.detections
    if len(found) < sum(result.verdict.counts.values()):
        # Limited in number by the client.
        found = answer(result.candidates, result.thresholds)
    own = result.policy != "override"
    return sighting(result.appearance, found, result.size, result.verdict.outcome, own=own)


def _copy(hour: Hour) -> Hour:
    made = Hour()
    made.merge(hour)
    return made


def _shared_folder() -> Path | None:
    """Several workers without a folder of the operator's share the one of their metrics, while they live."""
    shared = os.environ.get(SHARED_FOLDER)
    return Path(shared) / "monitor" if shared else None
