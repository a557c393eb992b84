"""Predictions as JSON, CSV, drawn pictures and videos, and proposals."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, TextIO

import cv2

from maskdet.detector.settings import BundleMeta
from maskdet.errors import PictureError
from maskdet.prediction.documents import CsvWriter, JsonWriter, LinesWriter
from maskdet.prediction.proposals import FORMATS as PROPOSALS
from maskdet.prediction.proposals import open_proposals
from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.sources import Source
from maskdet.prediction.video import VideoWriter, frame_rate, staged_video
from maskdet.system.files import staged_file
from maskdet.types import Picture

_OF_A_NAME = frozenset(
    {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ELOOP}
)
"""Too long, not allowed on that file system, or a folder in place of a file or the reverse."""


class Writer(Protocol):
    """Takes predictions in order, then the failures, once; both return its own failures."""

    def add(self, prediction: Prediction) -> Sequence[Failure]:
        """Returns what could not be written because of the source; raises OSError for anything else."""

    def finish(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        """Like `add`."""


class VideoDrawings:
    """Drawn videos, one after another: a new source ends the previous one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._source: Source | None = None
        self._writer: VideoWriter | None = None
        self._open = ExitStack()

    def __enter__(self) -> VideoDrawings:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The error is passed on, so that an incomplete video is not kept.
        self._open.__exit__(kind, error, trace)

    def add(self, prediction: Prediction) -> Sequence[Failure]:
        if prediction.drawn is None:
            return ()
        failures = [] if prediction.source == self._source else self._begin(prediction.source)
        if self._writer is None:
            return failures
        try:
            self._writer.add(prediction.drawn)
        except PictureError as error:
            self._open.__exit__(type(error), error, error.__traceback__)
            failures.append(self._failed(prediction.source, error))
        return failures

    def finish(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        del failures
        return self._end()

    def _begin(self, source: Source) -> list[Failure]:
        failures = self._end()
        self._source = source
        target = self._folder / source.drawn
        try:
            with _named_errors(target):
                self._writer = self._open.enter_context(staged_video(target, frame_rate(source.path)))
        except PictureError as error:
            failures.append(self._failed(source, error))
        return failures

    def _end(self) -> list[Failure]:
        """Put the video into place, if one is being drawn."""
        if self._source is None:
            return []
        try:
            with _named_errors(self._folder / self._source.drawn):
                self._open.close()
        except PictureError as error:
            return [self._failed(self._source, error)]
        return []

    def _failed(self, source: Source, error: PictureError) -> Failure:
        """The rest of the video is not drawn."""
        self._writer = None
        return Failure(source.name, f"it cannot be drawn: {error.what}")


@contextmanager
def open_writers(
    formats: Collection[str], out: Path, lines: TextIO | None, meta: BundleMeta
) -> Iterator[list[Writer]]:
    """The writers of all formats (of draw: the videos); files appear under `out` only if the block succeeds.

    `lines` takes a line of JSON for each picture at once. `meta` has the thresholds in force.
    """
    with ExitStack() as stack:
        writers: list[Writer] = []
        # Videos first: the others also report which of them failed at the end.
        if "draw" in formats:
            drawn_folder(out).mkdir(parents=True, exist_ok=True)
            writers.append(stack.enter_context(VideoDrawings(drawn_folder(out))))
        if "json" in formats:
            writers.append(JsonWriter(stack.enter_context(_staged_text(json_path(out))), meta))
        if "csv" in formats:
            writers.append(CsvWriter(stack.enter_context(_staged_text(csv_path(out))), meta))
        if lines is not None:
            writers.append(LinesWriter(lines, meta))
        proposed = [form for form in PROPOSALS if form in formats]
        writers.extend(stack.enter_context(open_proposals(form, out, meta.labels)) for form in proposed)
        yield writers


def save_drawn(picture: Picture, target: Path) -> None:
    """Write a drawn picture in the format of its suffix.

    Raises PictureError if the picture's own size or name is the cause, OSError for anything else.
    """
    data = _encoded(picture, target.suffix.lower())
    with _named_errors(target), staged_file(target) as aside:
        aside.write_bytes(data)


def _encoded(picture: Picture, suffix: str) -> bytes:
    height, width = picture.shape[:2]
    try:
        done, data = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    except cv2.error:
        done = False
    if not done:
        raise PictureError(f"a picture of {width}x{height} cannot be written as {suffix}", "leave out draw")
    return data.tobytes()


@contextmanager
def _named_errors(target: Path) -> Iterator[None]:
    """Tell an error of this one name from one that affects every file, such as a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_A_NAME:
            raise
        raise PictureError(f"{target.name}: {error.strerror}", "rename the file") from error


def json_path(out: Path) -> Path:
    return out / "predictions.json"


def csv_path(out: Path) -> Path:
    return out / "predictions.csv"


def drawn_folder(out: Path) -> Path:
    return out / "drawn"


@contextmanager
def _staged_text(target: Path) -> Iterator[TextIO]:
    # A file name of another encoding comes back from JSON as Python knows it.
    with (
        staged_file(target) as aside,
        aside.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
    ):
        yield stream
