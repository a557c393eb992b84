"""Predictions as text: one JSON document, one CSV table, or lines of JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any, TextIO

from maskdet.detector.settings import BundleMeta
from maskdet.prediction.records import CSV_COLUMNS, csv_rows, picture_record
from maskdet.prediction.results import Failure, Prediction


class JsonWriter:
    """One document: the model, the pictures one per line as they come, the failures."""

    def __init__(self, stream: TextIO, meta: BundleMeta) -> None:
        self._stream, self._labels, self._separator = stream, meta.labels, "\n"
        head = meta.model_dump(include={"name", "variant", "labels", "thresholds", "threshold_policy"})
        stream.write(f'{{\n  "model": {_compact(head)},\n  "pictures": [')

    def add(self, prediction: Prediction) -> Sequence[Failure]:
        self._stream.write(f"{self._separator}    {_compact(_record(prediction, self._labels))}")
        self._separator = ",\n"
        return ()

    def finish(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        rows = [{"file": failure.file, "reason": failure.reason} for failure in failures]
        self._stream.write(f'\n  ],\n  "failures": {_compact(rows)}\n}}\n')
        return ()


class CsvWriter:
    """One row per detection; a picture without any has no row."""

    def __init__(self, stream: TextIO, meta: BundleMeta) -> None:
        self._labels = meta.labels
        self._table = csv.writer(stream, lineterminator="\n")
        self._table.writerow(CSV_COLUMNS)

    def add(self, prediction: Prediction) -> Sequence[Failure]:
        self._table.writerows(csv_rows(_record(prediction, self._labels)))
        return ()

    def finish(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        del failures
        return ()


class LinesWriter:
    """A line of JSON for each picture, the entry of the document; failures are not among them."""

    def __init__(self, stream: TextIO, meta: BundleMeta) -> None:
        self._stream, self._labels = stream, meta.labels

    def add(self, prediction: Prediction) -> Sequence[Failure]:
        try:
            self._stream.write(f"{_compact(_record(prediction, self._labels))}\n")
        except OSError as error:
            # It names no file by itself. A reader that has gone stays a BrokenPipeError.
            raise OSError(error.errno, error.strerror, "standard output") from error
        return ()

    def finish(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        del failures
        return ()


def _record(prediction: Prediction, labels: Sequence[str]) -> dict[str, Any]:
    file = prediction.source.name
    return picture_record(
        prediction.concluded, labels, size=prediction.size, file=file, frame=prediction.frame
    )


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
