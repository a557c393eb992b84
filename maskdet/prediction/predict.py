"""`maskdet predict`: pictures and videos in; detections out as JSON, CSV, drawings or annotations."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TextIO

import cv2

from maskdet.detector.conclusion import Conclusion, examine, rule_of
from maskdet.detector.detector import Detector
from maskdet.detector.draw import draw
from maskdet.detector.picture import DecodedPicture, read_reduced
from maskdet.detector.settings import BundleMeta
from maskdet.detector.thresholds import thresholds_of, with_thresholds
from maskdet.detector.tiling import PLAIN, Look
from maskdet.detector.verdict import MaskRule
from maskdet.errors import MaskdetError, PictureError, UsageError
from maskdet.prediction.objects import read_object
from maskdet.prediction.proposals import FORMATS as PROPOSALS
from maskdet.prediction.proposals import check_free, proposals_folder
from maskdet.prediction.results import Failure, Prediction, PredictSummary
from maskdet.prediction.sources import Source, find_sources
from maskdet.prediction.video import frame_count, read_frames
from maskdet.prediction.writers import Writer, csv_path, drawn_folder, json_path, open_writers, save_drawn
from maskdet.progress import Track, silent
from maskdet.system.asides import intended
from maskdet.system.flow import run_in_order
from maskdet.system.machine import core_count
from maskdet.types import FloatArray, Picture

FORMATS: Final = ("json", "csv", "draw", *PROPOSALS)


class Engine(Protocol):
    """Who does the work: the threads of this process, or others."""

    def outcomes(self, work: Work, sources: Sequence[Source]) -> Generator[Prediction | Failure]:
        """One outcome per picture or frame, in the order of the sources."""

    def finish(self) -> None:
        """Everything is written: partial results are not needed any more."""


class Threads:
    """All cores of this process, a picture each."""

    def outcomes(self, work: Work, sources: Sequence[Source]) -> Generator[Prediction | Failure]:
        return run_in_order(_tasks(work, sources), core_count())

    def finish(self) -> None:
        """Nothing is left behind."""


_THREADS: Final = Threads()


def predict(  # noqa: PLR0913 - each is an option of the command
    detector: Detector,
    sources: Sequence[str],
    *,
    formats: Collection[str],
    out: Path,
    lines: TextIO | None = None,
    track: Track = silent,
    threshold: float | None = None,
    look: Look = PLAIN,
    engine: Engine = _THREADS,
) -> PredictSummary:
    """Detect in every picture and video frame of `sources`; write the results below `out`.

    `lines` takes a line of JSON for each picture or frame, in order; `formats` may be empty then.
    A picture is a task and each core has a thread, so the detector should use one thread; another `engine`
    shares the pictures out differently. `threshold` overrides the bundle's own for each class; scores below
    the bundle's NMS threshold are dropped in any case. `look` adds passes over tiles or the mirrored picture.
    Pictures that cannot be read or drawn are listed in the summary, and the rest continue. Raises
    MaskdetError if nothing can be written, as on a full disk, BrokenPipeError if nobody reads `lines` any
    more, or BundleError if the model fails; no file is left half-written.
    """
    started = time.perf_counter()
    _check(formats, lines)
    check_free(formats, out)
    found = find_sources(sources, leave_out=drawn_folder(out))
    work = Work.of(detector, threshold, look, drawn_folder(out) if "draw" in formats else None)
    try:
        with open_writers(formats, out, lines, work.in_force) as writers:
            tally = _carry_out(engine.outcomes(work, found), writers, track, _count(found))
        engine.finish()
    except BrokenPipeError:
        raise
    except OSError as error:
        place = intended(str(error.filename or out))
        step = "free some space, or choose a writable folder"
        kind = UsageError if isinstance(error, FileExistsError | NotADirectoryError) else MaskdetError
        raise kind(f"{place}: {error.strerror}", step) from error
    return PredictSummary(
        pictures=tally.pictures,
        threshold_policy=work.in_force.threshold_policy,
        faces={label: tally.faces[class_id] for class_id, label in enumerate(detector.meta.labels)},
        failures=tuple(tally.failures),
        seconds=time.perf_counter() - started,
        written=results_in(out, formats),
    )


@dataclass(slots=True)
class _Tally:
    pictures: int = 0
    faces: Counter[int] = field(default_factory=Counter)
    failures: dict[Failure, None] = field(default_factory=dict)
    """In order, each once: every writer of annotations refuses a video in the same words."""

    def add(self, outcome: Prediction | Failure) -> None:
        if isinstance(outcome, Failure):
            self.fail(outcome)
            return
        self.pictures += 1
        self.faces.update(outcome.concluded.detections.class_ids.tolist())
        if outcome.undrawn:
            self.fail(Failure(outcome.source.name, outcome.undrawn))

    def fail(self, *failures: Failure) -> None:
        self.failures.update(dict.fromkeys(failures))


@dataclass(frozen=True, slots=True)
class Work:
    """What each task needs. Shared by all threads, so it is immutable."""

    detector: Detector
    thresholds: FloatArray
    in_force: BundleMeta
    """The model's metadata with these thresholds."""
    rule: MaskRule
    look: Look
    drawings: Path | None
    """Folder of the drawn pictures; None if not requested."""

    @classmethod
    def of(cls, detector: Detector, threshold: float | None, look: Look, drawings: Path | None) -> Work:
        """`threshold` overrides the bundle's own for each class."""
        meta = detector.meta
        thresholds, rule = thresholds_of(meta, threshold), rule_of(meta)
        return cls(detector, thresholds, with_thresholds(meta, threshold), rule, look, drawings)

    def picture(self, source: Source) -> Prediction | Failure:
        try:
            decoded = _read(source, self.look.least_size(self.detector.meta.input_size))
            concluded = self._examined(decoded.pixels, decoded.size)
        except PictureError as error:
            return _failure(source, error)
        except (MemoryError, cv2.error) as error:
            return Failure(source.name, f"it cannot be processed: {error or 'not enough memory'}")
        undrawn = self._save(decoded, concluded, source)
        return Prediction(source, decoded.size, concluded, undrawn=undrawn)

    def frame(self, source: Source, number: int, picture: Picture) -> Prediction:
        concluded = self._examined(picture)
        # All frames of a video are as large as the first.
        drawn = self._drawn(picture, concluded, keep_size=True) if self.drawings is not None else None
        return Prediction(source, (picture.shape[0], picture.shape[1]), concluded, number, drawn)

    def _examined(self, picture: Picture, size: tuple[int, int] | None = None) -> Conclusion:
        return examine(self.detector, picture, self.thresholds, self.rule, look=self.look, size=size)

    def _save(self, decoded: DecodedPicture, concluded: Conclusion, source: Source) -> str:
        """Draw and write, if requested; returns why it could not be done."""
        if self.drawings is None:
            return ""
        try:
            # Detection sees the same pixels whether or not it is drawn; the drawn picture is decoded in full.
            picture = _read(source, None).pixels if decoded.reduced else decoded.pixels
            save_drawn(self._drawn(picture, concluded), self.drawings / source.drawn)
        except PictureError as error:
            return f"it cannot be drawn: {error.what}"
        except MemoryError:
            return "it cannot be drawn: not enough memory"
        return ""

    def _drawn(self, picture: Picture, concluded: Conclusion, *, keep_size: bool = False) -> Picture:
        return draw(picture, concluded.detections, self.detector.meta.labels, keep_size=keep_size)


def _read(source: Source, at_least: tuple[int, int] | None) -> DecodedPicture:
    if source.address:
        return read_object(source.address, at_least=at_least)
    return read_reduced(source.path, at_least=at_least)


def _carry_out(
    outcomes: Generator[Prediction | Failure], writers: Sequence[Writer], track: Track, total: int | None
) -> _Tally:
    tally = _Tally()
    with closing(outcomes):
        for outcome in track(outcomes, "predict", total):
            tally.add(outcome)
            if isinstance(outcome, Prediction):
                tally.fail(*(fault for writer in writers for fault in writer.add(outcome)))
        for writer in writers:
            tally.fail(*writer.finish(tuple(tally.failures)))
    return tally


def _tasks(work: Work, sources: Sequence[Source]) -> Iterator[Callable[[], Prediction | Failure]]:
    """One task per picture or frame. Frames are read here, one after another, as the pool asks for more."""
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
    shown = error.what.removeprefix(f"{source.address or source.path}: ")
    return Failure(source.name, shown)


def _count(sources: Sequence[Source]) -> int | None:
    counts = [1 if source.kind == "picture" else frame_count(source.path) for source in sources]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _check(formats: Collection[str], lines: TextIO | None) -> None:
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown or not (formats or lines):
        raise UsageError(f"unknown format {', '.join(unknown) or '(none)'}", f"use {', '.join(FORMATS)}")


def results_in(out: Path, formats: Collection[str] = FORMATS) -> tuple[Path, ...]:
    """Files and folders of these formats that lie below the folder `out`."""
    proposed = {form: proposals_folder(out, form) for form in PROPOSALS}
    places = {"json": json_path(out), "csv": csv_path(out), "draw": drawn_folder(out), **proposed}
    return tuple(places[name] for name in FORMATS if name in formats and _is_there(places[name]))


def _is_there(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.is_file()
