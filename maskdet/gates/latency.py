"""The time of both models on this machine, taken in turn, picture by picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from maskdet.dataset.manifest import Manifest
from maskdet.detector.bundle import Bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_reduced
from maskdet.evaluation.intervals import Interval, percentiles
from maskdet.evaluation.ranking import Curve
from maskdet.progress import Track, silent
from maskdet.system.machine import thread_clock
from maskdet.types import IntArray, Picture

_ROUNDS: Final = 3
_RESAMPLES: Final = 1000
_P95: Final = 95


def time_in_turn(
    bundles: Sequence[Bundle], manifest: Manifest, count: int, *, track: Track = silent
) -> list[Curve]:
    """Milliseconds of one core per picture for resize, pass and NMS, [K] for each bundle.

    K pictures are spread over val. Each goes through every model in turn, three times and with the order
    reversed in between, and the median counts: what the machine does meanwhile meets all models alike.
    """
    pictures = manifest.part("val")
    places = np.unique(np.linspace(0, len(pictures) - 1, min(count, len(pictures))).round().astype(int))
    detectors = [Detector(bundle, threads=1) for bundle in bundles]
    largest = max(bundle.meta.input_size for bundle in bundles)
    rows: list[list[float]] = []
    for place in track(places, "timing", len(places)):
        seen = read_reduced(manifest.path(pictures[place]), at_least=largest)
        rows.append(_row(detectors, seen.pixels, seen.size, warm=bool(rows)))
    return list(np.array(rows, np.float64).T)


def p95(milliseconds: Curve) -> tuple[float, Interval | None]:
    """The 95th percentile, and its interval by a bootstrap over pictures."""
    drawn = np.percentile(milliseconds[_draws(len(milliseconds))], _P95, axis=1)
    return float(np.percentile(milliseconds, _P95)), percentiles(drawn)


def p95_ratio(challenger: Curve, champion: Curve) -> tuple[float, Interval | None]:
    """The quotient of the 95th percentiles, and its interval by a paired bootstrap over pictures."""
    rows = _draws(len(champion))
    drawn = np.percentile(challenger[rows], _P95, axis=1) / np.percentile(champion[rows], _P95, axis=1)
    value = float(np.percentile(challenger, _P95) / np.percentile(champion, _P95))
    return value, percentiles(drawn)


def _row(detectors: Sequence[Detector], pixels: Picture, size: tuple[int, int], *, warm: bool) -> list[float]:
    if not warm:
        # The first passes allocate memory.
        for detector in detectors:
            detector.detect(pixels, size)
    clock = thread_clock()
    taken: list[list[float]] = [[] for _ in detectors]
    order = list(range(len(detectors)))
    for _ in range(_ROUNDS):
        for number in order:
            started = clock()
            detectors[number].detect(pixels, size)
            taken[number].append(1000 * (clock() - started))
        order.reverse()
    return [float(np.median(times)) for times in taken]


def _draws(pictures: int) -> IntArray:
    return np.random.default_rng(0).integers(0, pictures, (_RESAMPLES, pictures))
