"""Prometheus counters and histograms of one server, over all its workers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from maskdet.serving.engine.served_model import PictureResult, ServedModel, bundle_id

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable for the folder in which workers share their metrics."""
GAUGE_SECONDS = 1.0
"""Maximum age of another worker's gauges."""
READY = "maskdet_ready"

OUTCOMES = ("swapped", "refused")
METHODS = ("GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "PATCH")
MAX_CAMERAS = 100
"""Camera tags counted separately. Clients choose them, so the rest is `other`."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_BATCH = (1, 2, 4, 8, 16, 32, 64)
_SCORES = tuple(round(0.1 * step, 1) for step in range(1, 11))
_FACE_PIXELS = (8, 16, 32, 64, 128, 256, 512)
_COMPLIANT = {True: "yes", False: "no", None: "unknown"}
STAGES = ("queue", "decode", "preprocess", "inference", "postprocess")


class Metrics:
    """Safe to call from any thread."""

    def __init__(self, workers: int = 1) -> None:
        """`workers`: how many share a folder, if they do."""
        self._registry = CollectorRegistry()
        # prometheus_client itself reads this variable, and then keeps its metrics in files there.
        shared = os.environ.get(SHARED_FOLDER)
        self._gauges: list[tuple[Gauge, Callable[[], float]]] | None = [] if shared else None
        self._page = CollectorRegistry()
        together = _OfServer(_all_workers(shared), workers) if shared else _OfServer(self._registry, 1)
        self._page.register(together)
        self._requests = self._counter("requests", "Requests answered", "method", "route", "status")
        self._latency = self._histogram(
            "request_seconds", "Seconds until a request was answered", _SECONDS, "route"
        )
        self._refusals = self._counter("refusals", "Requests answered with an error", "code")
        stage = self._histogram(
            "stage_seconds", "Seconds that a picture spends in a stage", _SECONDS, "stage"
        )
        self._stages = {name: stage.labels(name) for name in STAGES}
        self._batches = self._histogram("batch_pictures", "Pictures in one pass through the model", _BATCH)
        self._pictures = self._counter("pictures", "Pictures answered", "verdict", "camera")
        self._faces = self._counter("faces", "Faces over their thresholds", "label", "compliant", "camera")
        self._scores = self._histogram("face_score", "Scores of the faces in answers", _SCORES, "label")
        self._sizes = self._histogram(
            "face_pixels",
            "Sides of the faces in answers, in pixels: the square root of the area",
            _FACE_PIXELS,
        )
        self._reloads = self._counter("reloads", "New bundles, swapped in or refused", "model", "outcome")
        self._captures = self._counter(
            "captures", "Pictures that a policy chose for review", "why", "outcome"
        )
        self._cameras: set[str] = set()
        self._versions = Gauge(
            "maskdet_model_version",
            "Workers that answer with this version and bundle; 0 after a swap",
            ("model", "version", "bundle"),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._served: dict[str, tuple[str, str, str]] = {}
        self._refusing = Gauge(
            "maskdet_bundle_refused",
            "Workers that refuse this model's newest bundle; 0 if it is in use",
            ("model",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """A gauge that is read on demand; several workers' values are added."""
        gauge = Gauge(f"maskdet_{name}", about, registry=self._registry, multiprocess_mode="livesum")
        if self._gauges is None:
            gauge.set_function(value)
        else:
            self._gauges.append((gauge, value))

    def add(self, collector: Collector) -> None:
        """Further metrics, which already are those of all workers."""
        self._page.register(collector)

    async def keep_fresh(self) -> None:
        """Keep writing the gauges for the other workers to read."""
        while True:
            self._write_gauges()
            await asyncio.sleep(GAUGE_SECONDS)

    def request(self, method: str, route: str, status: int, seconds: float, code: str) -> None:
        """One answered request; `code` of its error, empty if there was none."""
        self._requests.labels(method if method in METHODS else "other", route, str(status)).inc()
        self._latency.labels(route).observe(seconds)
        if code:
            self._refusals.labels(code).inc()

    def batch(self, pictures: int) -> None:
        """One pass through the model."""
        self._batches.observe(pictures)

    def reload(self, model: str, outcome: str) -> None:
        """One new bundle: swapped or refused."""
        self._reloads.labels(model, outcome).inc()

    def refusing(self, model: str, refused: bool) -> None:
        """Whether the newest bundle of this model is one that was refused."""
        self._refusing.labels(model).set(refused)

    def captured(self, why: str, outcome: str) -> None:
        """One picture that a capture policy chose, and what became of it."""
        self._captures.labels(why, outcome).inc()

    def serving(self, name: str, model: ServedModel) -> None:
        """A model answers from now on, in place of the one before it under this name."""
        if name in self._served:
            self._versions.labels(*self._served[name]).set(0)
        self._served[name] = (name, "" if model.version is None else str(model.version), bundle_id(model))
        self._versions.labels(*self._served[name]).set(1)
        self.refusing(name, refused=False)
        # Prometheus sees no change in a counter that appears with its first event.
        for outcome in OUTCOMES:
            self._reloads.labels(name, outcome)

    def result(self, result: PictureResult, camera: str) -> None:
        """One answered picture."""
        tag = self._tag(camera)
        for name, child in self._stages.items():
            child.observe(getattr(result.timing, name) / 1000)
        self._pictures.labels(result.verdict.outcome, tag).inc()
        rule = result.model.rule
        for label, count in result.verdict.counts.items():
            if count:
                self._faces.labels(label, _COMPLIANT[rule.keeps(label)], tag).inc(count)
        self._shapes(result)

    def exposition(self) -> tuple[bytes, str]:
        """The text for Prometheus and its content type."""
        self._write_gauges()
        return generate_latest(self._page), CONTENT_TYPE_LATEST

    def _write_gauges(self) -> None:
        for gauge, value in self._gauges or ():
            gauge.set(value())

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"maskdet_{name}", about, labels, registry=self._registry)

    def _histogram(self, name: str, about: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"maskdet_{name}", about, labels, buckets=buckets, registry=self._registry)

    def _shapes(self, result: PictureResult) -> None:
        found, labels = result.detections, result.model.meta.labels
        sides = np.sqrt((found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1))
        for class_id, score, side in zip(
            found.class_ids.tolist(), found.scores.tolist(), sides.tolist(), strict=True
        ):
            self._scores.labels(labels[class_id]).observe(score)
            self._sizes.observe(side)

    def _tag(self, camera: str) -> str:
        if camera not in self._cameras:
            if len(self._cameras) >= MAX_CAMERAS:
                return "other"
            self._cameras.add(camera)
        return camera


def _all_workers(folder: str) -> Collector:
    made: Collector = MultiProcessCollector(None, folder)  # type: ignore[no-untyped-call]
    return made


class _OfServer(Collector):
    """All metrics, and what is derived from them: the share of compliant faces, and whether all workers are
    ready.
    """

    def __init__(self, source: Collector, workers: int) -> None:
        self._source, self._workers = source, workers

    def collect(self) -> Iterator[Metric]:
        seen = kept = 0.0
        for family in self._source.collect():
            if family.name == "maskdet_faces":
                counts = [one for one in family.samples if one.name == "maskdet_faces_total"]
                seen = sum(one.value for one in counts)
                kept = sum(one.value for one in counts if one.labels["compliant"] == "yes")
            yield self._ready(family) if family.name == READY else family
        about = "Share of faces that comply with the mask rule, since start"
        yield GaugeMetricFamily("maskdet_compliance_ratio", about, kept / seen if seen else 1.0)

    def _ready(self, count: Metric) -> Metric:
        # A worker that has died, or is still loading its models, counts for none.
        ready = sum(one.value for one in count.samples) >= self._workers
        return GaugeMetricFamily(READY, count.documentation, float(ready))
