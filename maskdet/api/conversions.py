"""Faces as other packages' data. These packages are optional, so they may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from maskdet.errors import EnvironmentProblem
from maskdet.prediction.records import CSV_COLUMNS, csv_rows
from maskdet.types import Detections

if TYPE_CHECKING:
    import pandas
    import supervision

_KINDS = {
    "file": "object",
    "frame": "Int64",
    "width": "int64",
    "height": "int64",
    "label": "object",
    **dict.fromkeys(("score", "x1", "y1", "x2", "y2"), "float64"),
}


def to_pandas(record: dict[str, Any]) -> pandas.DataFrame:
    """The rows of a `picture_record`; an absent frame is <NA>."""
    pd = _needed("pandas", "to_pandas")
    table = pd.DataFrame(list(csv_rows({"frame": None, **record})), columns=list(CSV_COLUMNS))
    frame: pandas.DataFrame = table.astype(_KINDS)
    return frame


def to_supervision(found: Detections, labels: Sequence[str]) -> supervision.Detections:
    """Copies, so that changing one does not change the other."""
    sv = _needed("supervision", "to_supervision")
    names = np.array([labels[class_id] for class_id in found.class_ids.tolist()], dtype=str)
    detections: supervision.Detections = sv.Detections(
        xyxy=found.boxes.copy(),
        confidence=found.scores.copy(),
        class_id=found.class_ids.astype(int),
        data={"class_name": names},
    )
    return detections


def _needed(package: str, method: str) -> Any:
    try:
        return import_module(package)
    except ImportError as error:
        raise EnvironmentProblem(f"{method} needs {package}: {error}", f"pip install {package}") from error
