"""Predictions as JSON, CSV, and drawn pictures and videos."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TextIO

import cv2

from maskdet.detector.settings import BundleMeta
from maskdet.errors import PictureError
from maskdet.files import staged_file
from maskdet.prediction.records import CSV_COLUMNS, csv_rows, picture_record
from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.sources import Source
from maskdet.prediction.video import VideoWriter, frame_rate, staged_video
from maskdet.types import Picture


class Writer(Protocol):
    """Takes predictions in order, then the failures, once."""

    def add(self, prediction: Prediction) -> None: ...

    def finish(self, failures: Sequence[Failure]) -> None: ...


class JsonWriter:
    """One document: the model, the pictures one a line as they come, the failures."""

    def __init__(self, stream: TextIO, meta: BundleMeta) -> None:
        self._stream, self._labels, self._separator = stream, meta.labels, "\n"
        head = meta.model_dump(include={"name", "variant", "labels", "thresholds", "threshold_policy"})
        stream.write(f'{{\n  "model": {_compact(head)},\n  "pictures": [')

    def add(self, prediction: Prediction) -> None:
        self._stream.write(f"{self._separator}    {_compact(_record(prediction, self._labels))}")
        self._separator = ",\n"

    def finish(self, failures: Sequence[Failure]) -> None:
        rows = [{"file": failure.file, "reason": failure.reason} for failure in failures]
        self._stream.write(f'\n  ],\n  "failures": {_compact(rows)}\n}}\n')


class CsvWriter:
    """One row a detection; a picture without any has no row."""

    def __init__(self, stream: TextIO, meta: BundleMeta) -> None:
        self._labels = meta.labels
        self._table = csv.writer(stream, lineterminator="\n")
        self._table.writerow(CSV_COLUMNS)

    def add(self, prediction: Prediction) -> None:
        self._table.writerows(csv_rows(_record(prediction, self._labels)))

    def finish(self, failures: Sequence[Failure]) -> None:
        del failures


class VideoDrawings:
    """Drawn videos, one after the other: a new source ends the one before."""

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
        # The error goes through, so that a video cut short is not kept.
        self._open.__exit__(kind, error, trace)

    def add(self, prediction: Prediction) -> None:
        if prediction.drawn is None:
            return
        if self._writer is None or prediction.source != self._source:
            self._writer = self._begin(prediction.source)
        self._writer.add(prediction.drawn)

    def finish(self, failures: Sequence[Failure]) -> None:
        del failures
        self._open.close()

    def _begin(self, source: Source) -> VideoWriter:
        self._open.close()
        self._source = source
        target = self._folder / source.drawn
        return self._open.enter_context(staged_video(target, frame_rate(source.path)))


@contextmanager
def open_writers(formats: Collection[str], out: Path, meta: BundleMeta) -> Iterator[list[Writer]]:
    """The writers of json, csv and draw (videos); files appear under `out` only if the block succeeds.

    `meta` has the thresholds in force.
    """
    with ExitStack() as stack:
        writers: list[Writer] = []
        if "json" in formats:
            writers.append(JsonWriter(stack.enter_context(_staged_text(json_path(out))), meta))
        if "csv" in formats:
            writers.append(CsvWriter(stack.enter_context(_staged_text(csv_path(out))), meta))
        if "draw" in formats:
            writers.append(stack.enter_context(VideoDrawings(drawn_folder(out))))
        yield writers


def save_drawn(picture: Picture, target: Path) -> None:
    """Write a drawn picture in the format of its ending."""
    try:
        _, data = cv2.imencode(target.suffix.lower(), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise PictureError(
            f"{target}: the drawn picture cannot be written: {error}", "leave out draw"
        ) from error
    with staged_file(target) as aside:
        aside.write_bytes(data.tobytes())


def json_path(out: Path) -> Path:
    return out / "predictions.json"


def csv_path(out: Path) -> Path:
    return out / "predictions.csv"


def drawn_folder(out: Path) -> Path:
    return out / "drawn"


@contextmanager
def _staged_text(target: Path) -> Iterator[TextIO]:
    with staged_file(target) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        yield stream


def _record(prediction: Prediction, labels: Sequence[str]) -> dict[str, Any]:
    file = prediction.source.path.as_posix()
    return picture_record(
        prediction.concluded, labels, size=prediction.size, file=file, frame=prediction.frame
    )


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
