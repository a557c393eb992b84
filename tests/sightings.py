"""Sightings of made-up pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskdet.drift.appearance import Appearance
from maskdet.drift.history import History
from maskdet.drift.hour import Hour, Key, Start, hour_of
from maskdet.drift.profile import take_profile
from maskdet.drift.sighting import Sighting, sighting
from maskdet.drift.store import Store
from maskdet.drift.version import Version
from maskdet.drift.view import View
from maskdet.drift.viewer import Viewer
from maskdet.system.files import sha256_file
from maskdet.types import Detections

LABELS = ("with_mask", "without_mask")
OLD = "0" * 12
"""A version that answered before."""
PER_HOUR = 10
SWAPPED = 20
"""Hours ago."""


def picture(
    brightness: float = 100,
    blur: float = 300,
    sides: Sequence[float] = (40,),
    label: int = 0,
    score: float = 0.9,
    **options: Any,
) -> Sighting:
    """400 x 400 pixels with square faces of one label and score."""
    boxes = np.array([(0, 0, side, side) for side in sides], np.float32).reshape(-1, 4)
    found = Detections(boxes, np.full(len(boxes), score, np.float32), np.full(len(boxes), label, np.int64))
    return sighting(Appearance(brightness, blur), found, (400, 400), options.pop("outcome", "ok"), **options)


def crowd(draw: np.random.Generator, brightness: float = 120) -> Sighting:
    """Faces that resemble each other: one size and label for all in a picture."""
    side = float(draw.lognormal(3.5, 0.5))
    sides = [side * float(draw.uniform(0.95, 1.05)) for _ in range(draw.integers(1, 9))]
    return picture(
        brightness=float(draw.normal(brightness, 30)),
        blur=float(draw.lognormal(5, 0.8)),
        sides=sides,
        label=int(draw.random() < 0.3),
        score=float(draw.uniform(0.5, 1)),
        outcome="uncertain" if draw.random() < 0.2 else "ok",
    )


def seen_by_models(*models: str, brightness: float = 120, pictures: int = 400) -> list[View]:
    """Of each model one view: a profile of 200 pictures, and what it saw in an hour since."""
    draw = np.random.default_rng(1)
    profile = take_profile([crowd(draw) for _ in range(200)], LABELS)
    version = Version.of("0123456789ab", 3600.0, LABELS, profile)
    hour = Hour(requests=pictures)
    for model in models:
        hour.start(Start(3600.0, model, version.version))
        for number in range(pictures):
            key = Key(model, version.version, f"gate-{number % 2}" if number % 3 else "")
            hour.count(key, crowd(draw, brightness), version.bins)
    history = History(range(3), 10800.0, {version.version: version}, {1: hour})
    viewer = Viewer(history, dict.fromkeys(models, version.version), 0.25)
    return [viewer.view(model, version.version, kept=True, delay_seconds=0) for model in models]


def write_two_days(folder: Path, bundle: Path, profile: Any) -> None:
    """Statistics of a server with two cameras; one is dark since the bundle took the place of `OLD`."""
    store, draw, now = Store(folder), np.random.default_rng(0), time.time()
    store.prepare()
    names = {OLD: 40, sha256_file(bundle)[:12]: SWAPPED}
    versions = [Version.of(name, now - 3600 * ago, LABELS, profile) for name, ago in names.items()]
    for version in versions:
        store.write_version(version)
    for ago in range(40, 0, -1):
        version, hour = versions[ago <= SWAPPED], Hour()
        if ago in names.values():
            hour.start(Start(now - 3600 * ago, "tiny", version.version))
        for camera in ("gate", "hall"):
            dark = camera == "hall" and ago <= SWAPPED
            for _ in range(PER_HOUR):
                hour.count(
                    Key("tiny", version.version, camera), crowd(draw, 30 if dark else 120), version.bins
                )
        hour.requests = 2 * PER_HOUR
        store.write(hour_of(now - 3600 * ago), hour)
