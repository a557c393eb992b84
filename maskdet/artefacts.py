"""The files that a stage leaves for other stages and for people: their names, and how their JSON is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from maskdet.errors import StageError

Document = dict[str, Any]
"""A JSON object that a stage wrote."""

MANIFEST: Final = "manifest.json"
LABEL_LIST: Final = "label_list.txt"
"""Class names by class id, one a line, as PaddleDetection reads them."""
CONFIG: Final = "picodet.yml"
BEST: Final = "best.pdparams"
LAST: Final = "last.pdparams"
METRICS: Final = "metrics.json"
CURVES: Final = "curves.json"
PARITY: Final = "parity.json"
GATES: Final = "gates.json"
BUNDLE: Final = "model.onnx"
BUNDLE_WITH_NMS: Final = "model_nms.onnx"
"""For PaddleDetection's own ONNX script; no bundle."""
REPORT: Final = "report.md"
PAGE: Final = "report.html"

FACE_SIZES: Final = "face_sizes.png"
OBJECTS: Final = "objects_per_class.png"
SAMPLES: Final = "samples.png"
CURVES_PLOT: Final = "curves.png"
CURVES_PAGE: Final = "index.html"
PR_PLOT: Final = "pr.png"
THRESHOLD_PLOT: Final = "thresholds.png"
SLICE_PLOT: Final = "slices.png"
RELIABILITY_PLOT: Final = "reliability.png"
WORST_SHEET: Final = "worst.png"
EVAL_PLOTS: Final = (PR_PLOT, THRESHOLD_PLOT, SLICE_PLOT, RELIABILITY_PLOT)
PLOTS: Final = (FACE_SIZES, OBJECTS, CURVES_PLOT, *EVAL_PLOTS)
"""Drawn from numbers: nobody is to be seen on them."""


def read_document(path: Path, command: str) -> Document:
    """What a stage wrote. Raises StageError like `reading`."""
    with reading(path, command):
        return _read(path)


def document_if_any(path: Path, again: str) -> Document | None:
    """Like `read_document`, but None if there is no such file; `again` is the command that writes it anew."""
    if not path.is_file():
        return None
    with reading(path, again, again):
        return _read(path)


@contextmanager
def reading(path: Path, command: str, again: str = "") -> Iterator[None]:
    """Raise StageError if the file that the block reads is missing, or if the block finds it damaged.

    `command` is the one that writes it, `again` the one that writes it anew, by default with --force.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise StageError(f"{path} is missing", f"run `{command}` first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StageError(f"{path} is damaged: {error}", f"run `{again or f'{command} --force'}`") from error


def _read(path: Path) -> Document:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError("it holds no JSON object")
    return document
