"""Who scores the pictures, by the name that `maskdet predict --engine` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskdet.detector.bundle import Bundle
from maskdet.errors import UsageError
from maskdet.prediction.predict import Engine, Threads
from maskdet.prediction.scale.ray_engine import RayEngine
from maskdet.progress import Track, silent

ENGINES: Final = ("threads", "ray")


def engine_of(
    name: str,
    bundle: Bundle,
    out: Path,
    *,
    threshold: float | None = None,
    workers: int | None = None,
    device: str = "cpu",
    track: Track = silent,
) -> Engine:
    """threads: all cores of this process; ray: `workers` processes, on the CPU. Raises UsageError for other
    names, and for what the engine does not have.
    """
    if name not in ENGINES:
        raise UsageError(f"--engine {name}: no such engine", f"use {' or '.join(ENGINES)}")
    if name == "ray" and device != "cpu":
        raise UsageError(f"--engine ray runs on the CPU, not on {device}", "leave out --device")
    if name == "ray":
        return RayEngine(bundle, out, threshold=threshold, workers=workers, track=track)
    if workers is not None:
        raise UsageError("--workers needs --engine ray", "leave it out: threads use all cores")
    return Threads()
