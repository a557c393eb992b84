"""`maskdet predict`: pictures and videos in, what was found out as JSON, CSV or drawn."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from maskdet.detector.answer import answer
from maskdet.detector.detector import Detector
from maskdet.detector.draw import draw
from maskdet.detector.picture import read_picture, read_reduced
from maskdet.detector.tiling import PLAIN, Look, detect_closely
from maskdet.errors import PictureError, UsageError
from maskdet.flow import run_in_order
from maskdet.machine import core_count
from maskdet.prediction.results import Failure, Prediction, PredictSummary
from maskdet.prediction.sources import Source, find_sources
from maskdet.prediction.video import frame_count, read_frames
from maskdet.prediction.writers import csv_path, drawn_folder, json_path, open_writers, save_drawn
from maskdet.progress import Track, silent
from maskdet.types import Detections, FloatArray, Picture

FORMATS: Final = ("json", "csv", "draw")


def predict(
    detector: Detector,
    sources: Sequence[str],
    *,
    formats: Collection[str],
    out: Path,
    track: Track = silent,
    threshold: float | None = None,
    look: Look = PLAIN,
) -> PredictSummary:
    """Look at every picture and every video frame that `sources` name; write the results below `out`.

    A picture is a task and each core has a thread, so the detector should be of one thread. `threshold`
    stands in for the bundle's own of each class; what is below the bundle's NMS threshold is gone in any
    case. `look` adds passes over tiles or the mirrored picture. Pictures that cannot be read are in the
    summary, and the rest goes on. Raises UsageError, or BundleError if the model fails; no file is left
    half-written then.
    """
    started = time.perf_counter()
    _check(formats, threshold)
    found = find_sources(sources, leave_out=out)
    drawings = drawn_folder(out) if "draw" in formats else None
    work = _Work(detector, _thresholds(detector, threshold), look, drawings)
    try:
        tally = _carry_out(work, found, formats, out, track)
    except OSError as error:
        raise UsageError(
            f"{error.filename or out}: {error.strerror}", "name a folder that can be written"
        ) from error
    return PredictSummary(
        pictures=tally.pictures,
        faces={label: tally.faces[class_id] for class_id, label in enumerate(detector.meta.labels)},
        failures=tuple(tally.failures),
        seconds=time.perf_counter() - started,
        written=_written(formats, out),
    )


@dataclass(slots=True)
class _Tally:
    pictures: int = 0
    faces: Counter[int] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, outcome: Prediction | Failure) -> None:
        if isinstance(outcome, Failure):
            self.failures.append(outcome)
        else:
            self.pictures += 1
            self.faces.update(outcome.detections.class_ids.tolist())


@dataclass(frozen=True, slots=True)
class _Work:
    """What each task needs. Shared by all threads, so nothing in it changes."""

    detector: Detector
    thresholds: FloatArray
    look: Look
    drawings: Path | None
    """Folder of the drawn pictures; None if none are asked for."""

    def picture(self, source: Source) -> Prediction | Failure:
        try:
            decoded = read_reduced(source.path, at_least=self.look.least_size(self.detector.meta.input_size))
            # Detection sees the same pixels whether or not it is drawn; what people see is decoded in full.
            drawn_on = read_picture(source.path) if self.drawings and decoded.reduced else decoded.pixels
        except PictureError as error:
            return _failure(source, error)
        found = self._detections(decoded.pixels, decoded.size)
        if self.drawings is not None:
            save_drawn(self._drawn(drawn_on, found), self.drawings / source.drawn)
        return Prediction(source, decoded.size, found)

    def frame(self, source: Source, number: int, picture: Picture) -> Prediction:
        found = self._detections(picture, None)
        drawn = self._drawn(picture, found) if self.drawings is not None else None
        return Prediction(source, (picture.shape[0], picture.shape[1]), found, number, drawn)

    def _detections(self, picture: Picture, size: tuple[int, int] | None) -> Detections:
        return answer(detect_closely(self.detector, picture, self.look, size), self.thresholds)

    def _drawn(self, picture: Picture, found: Detections) -> Picture:
        return draw(picture, found, self.detector.meta.labels)


def _carry_out(
    work: _Work, sources: Sequence[Source], formats: Collection[str], out: Path, track: Track
) -> _Tally:
    tally = _Tally()
    with (
        open_writers(formats, out, work.detector.meta) as writers,
        closing(run_in_order(_tasks(work, sources), core_count())) as outcomes,
    ):
        for outcome in track(outcomes, "predict", _count(sources)):
            tally.add(outcome)
            if isinstance(outcome, Prediction):
                for writer in writers:
                    writer.add(outcome)
        for writer in writers:
            writer.finish(tally.failures)
    return tally


def _tasks(work: _Work, sources: Sequence[Source]) -> Iterator[Callable[[], Prediction | Failure]]:
    """One task a picture or frame. Frames are read here, one after the other, as the pool asks for more."""
    for source in sources:
        if source.kind == "picture":
            yield partial(work.picture, source)
            continue
        try:
            for number, frame in enumerate(read_frames(source.path)):
                yield partial(work.frame, source, number, frame)
        except PictureError as error:
            yield partial(_failure, source, error)


def _failure(source: Source, error: PictureError) -> Failure:
    file = source.path.as_posix()
    return Failure(file, error.what.removeprefix(f"{source.path}: "))


def _count(sources: Sequence[Source]) -> int | None:
    counts = [1 if source.kind == "picture" else frame_count(source.path) for source in sources]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _thresholds(detector: Detector, threshold: float | None) -> FloatArray:
    return detector.thresholds if threshold is None else np.full_like(detector.thresholds, threshold)


def _check(formats: Collection[str], threshold: float | None) -> None:
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown or not formats:
        raise UsageError(
            f"the format {', '.join(unknown) or '(none)'} is not known", f"use {', '.join(FORMATS)}"
        )
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"the threshold {threshold} is not between 0 and 1", "give a score, such as 0.5")


def _written(formats: Collection[str], out: Path) -> tuple[Path, ...]:
    places = {"json": json_path(out), "csv": csv_path(out), "draw": drawn_folder(out)}
    return tuple(places[name] for name in FORMATS if name in formats and places[name].exists())
