"""What an ONNX file that is no bundle seems to be, by its inputs, outputs, operators and metadata."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from maskdet.detector.runtime.onnx_runtime import OnnxSession
from maskdet.export.message import Facts

_AIZOO_ANCHORS: Final = 5972
"""Of FaceMaskDetection's SSD at 260x260."""
_YOLO5_ROWS: Final = 25200
_YOLO8_ROWS: Final = 8400
"""Anchors at 640x640."""
_END_TO_END: Final = [300, 6]
"""The detections that are kept: box, score and class of each."""
_COLUMNS: Final = 200
"""More are anchors, not classes."""
_DETECT: Final = "detect"
_WRAP: Final = "`maskdet bundle FILE --infer-cfg infer_cfg.yml` wraps it"
_RETRAIN: Final = (
    "its data trains a bundle: `maskdet data convert SET faces --to voc`, then `maskdet init faces`; see "
    "docs/coming-from"
)
_NO_BOXES: Final = "it knows no boxes; `maskdet predict FOLDER --format voc` proposes some for its pictures"
Tensors = dict[str, tuple[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class Guess:
    """The family, how the file shows it, the class names that it holds, and the next step."""

    family: str
    why: str
    labels: tuple[str, ...]
    next_step: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A file's inputs and outputs, name to element type and shape, and what it says of itself."""

    inputs: Tensors
    outputs: Tensors
    facts: Facts

    @classmethod
    def of(cls, session: OnnxSession, facts: Facts) -> Seen:
        return cls(session.inputs, session.outputs, facts)

    @property
    def shapes(self) -> list[list[Any]]:
        """Of the outputs, in order."""
        return [shape for _, shape in self.outputs.values()]


def guess(seen: Seen) -> Guess:
    """The most specific family that fits; that of plain inputs and outputs if none does."""
    found = (family(seen) for family in _FAMILIES)
    return next(filter(None, found), _UNKNOWN)


def _aizoo(seen: Seen) -> Guess | None:
    rows = sorted(shape[1:] for shape in seen.shapes if len(shape) == 3)
    if rows != [[_AIZOO_ANCHORS, 2], [_AIZOO_ANCHORS, 4]]:
        return None
    why = f"{_AIZOO_ANCHORS} anchors of 260x260 with 2 classes"
    return Guess("SSD of AIZOO FaceMaskDetection", why, ("Mask", "NoMask"), _RETRAIN)


def _ultralytics(seen: Seen) -> Guess | None:
    says = seen.facts.metadata
    named = says.get("author", "").lower() == "ultralytics" or {"stride", "names"} <= says.keys()
    names, task = _names(says.get("names", "")), says.get("task", _DETECT) if named else _DETECT
    if task != _DETECT:
        next_step = _NO_BOXES if task == "classify" else _RETRAIN
        return Guess(f"Ultralytics model of the task {task}", "its metadata says so", names, next_step)
    kind = _yolo(seen.shapes[0], named)
    if kind is None:
        return None
    why = f"output {seen.shapes[0]}" + (", and its metadata is Ultralytics'" if named else "")
    return Guess(kind, why, names, _RETRAIN)


def _yolo(shape: list[Any], named: bool) -> str | None:
    """The generation of a detector; `named`: the metadata is Ultralytics'. Free sides are text."""
    if len(shape) != 3:
        return None
    rows, columns = shape[1:]
    if named and [rows, columns] == _END_TO_END:
        return "YOLO with NMS inside or without need of it (v10, 26)"
    if isinstance(columns, int) and columns < _COLUMNS and (rows == _YOLO5_ROWS or named):
        return "YOLOv5 (or v7)"
    return "YOLOv8 (or 11)" if isinstance(rows, int) and (columns == _YOLO8_ROWS or named) else None


def _paddle(seen: Seen) -> Guess | None:
    sides = {"scale_factor", "im_shape"} & seen.inputs.keys()
    if seen.facts.operators["NonMaxSuppression"] and sides and [6] in [s[1:] for s in seen.shapes]:
        why = f"takes {', '.join(sorted(sides))} and returns rows of class, score and box"
        return Guess("PaddleDetection detector with NMS inside, such as PicoDet", why, (), _WRAP)
    if seen.facts.operators["NonMaxSuppression"]:
        return None
    pairs = [shape for shape in seen.shapes if len(shape) == 3]
    if len(pairs) == len(seen.shapes) == 2 and pairs[0][2] == 4 and pairs[1][2] == pairs[0][1]:
        why = f"returns boxes {pairs[0]} and scores {pairs[1]}"
        return Guess("PaddleDetection detector without NMS, such as PicoDet", why, (), _WRAP)
    half = len(pairs) // 2
    if len(pairs) == len(seen.shapes) >= 4 and [s[1] for s in pairs[:half]] == [s[1] for s in pairs[half:]]:
        why = f"returns scores and distances of {half} levels"
        return Guess("PicoDet of PaddleDetection, raw heads", why, (), _WRAP)
    return None


_UNKNOWN: Final = Guess(
    "unknown",
    "its inputs and outputs are those of no detector that maskdet knows",
    (),
    "if PaddleDetection exported it, convert it again with paddle2onnx; maskdet serves PicoDets",
)
_FAMILIES: Final[tuple[Callable[[Seen], Guess | None], ...]] = (_aizoo, _ultralytics, _paddle)


def _names(text: str) -> tuple[str, ...]:
    """Ultralytics' metadata: the repr of a dict by class id, or of a list."""
    try:
        names = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    values = names.values() if isinstance(names, dict) else names if isinstance(names, list) else ()
    return tuple(map(str, values))[:1000]
