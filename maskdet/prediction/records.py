"""A picture's detections as plain data: the entry of predictions.json, the rows of predictions.csv."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from maskdet.detector.conclusion import Conclusion
from maskdet.detector.records import detection_records

CSV_COLUMNS: Final = ("file", "frame", "width", "height", "label", "score", "x1", "y1", "x2", "y2")


def picture_record(
    concluded: Conclusion,
    labels: Sequence[str],
    *,
    size: tuple[int, int],
    file: str | None = None,
    frame: int | None = None,
) -> dict[str, Any]:
    """`size`: height and width in pixels. `file` and `frame` are omitted if None."""
    place = {"file": file, "frame": frame}
    verdict = concluded.verdict
    return {
        **{key: value for key, value in place.items() if value is not None},
        "width": size[1],
        "height": size[0],
        "detections": detection_records(concluded.detections, labels),
        "verdict": {"outcome": verdict.outcome, "counts": dict(verdict.counts)},
    }


def csv_rows(record: dict[str, Any]) -> Iterator[list[Any]]:
    """One row of CSV_COLUMNS for each detection of a `picture_record`."""
    start = [record.get("file", ""), record.get("frame", ""), record["width"], record["height"]]
    yield from ([*start, row["label"], row["score"], *row["box"]] for row in record["detections"])
