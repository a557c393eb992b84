"""What a training takes over from its starting weights. Without Paddle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.artefacts import LABEL_LIST
from maskdet.errors import TrainingError
from maskdet.training.start.architecture import BACKBONE, class_count, describe
from maskdet.training.start.class_matching import related
from maskdet.training.start.coco import COCO_LABELS
from maskdet.training.start.weights import Weights, fit, is_class_layer, read_weights

_NAMED_LAYERS = 3
"""Layers named in the line; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The arrays for the network, the names that stay fresh, in whole or in part, and a line that says so."""

    arrays: Weights
    fresh: list[str]
    line: str

    @property
    def whole(self) -> bool:
        """Whether every layer was taken over, so that the network is a detector before any training."""
        return bool(self.arrays) and not self.fresh


def transfer(own: Weights, labels: Sequence[str], start: dict[str, Any]) -> Transfer:
    """Match the weights of a `Start.to_job()` with those of a freshly initialised network.

    own: the network's arrays by name; labels: the data's classes by class id.

    Raises TrainingError if the file belongs to another architecture or its names cannot be its classes,
    PipelineFileError for a class map with unknown names.
    """
    path = Path(start["path"])
    weights = _named_like(read_weights(path), own)
    known = class_names(path, weights, start["labels"])
    places = _places(labels, known, start)
    arrays, fresh = fit(weights, own, places)
    _require_backbone(path, weights, own, arrays)
    return Transfer(arrays, fresh, _line(start["name"], arrays, fresh, _classes(labels, known, places)))


def _places(labels: Sequence[str], known: Sequence[str], start: dict[str, Any]) -> list[int | None] | None:
    if not known and not start["class_map"]:
        return None
    return related(labels, known, start["class_map"], start.get("roles"))


def _named_like(weights: Weights, own: Weights) -> Weights:
    """Backbone-only files name its layers without the prefix."""
    if any(name in own for name in weights):
        return weights
    return {f"{BACKBONE}{name}": value for name, value in weights.items()}


def class_names(path: Path, weights: Weights, told: Sequence[str]) -> tuple[str, ...]:
    """By class id, of the `weights` of a file: the `told` ones, else COCO's if it has as many, else ().

    Raises TrainingError for `told` ones that cannot be the head's.
    """
    rows = class_count(weights)
    if told and rows and len(told) != rows:
        beside = path.with_name(LABEL_LIST)
        raise TrainingError(
            f"{beside if beside.is_file() else path} names {len(told)} classes ({', '.join(told)}), "
            f"the head of {path.name} has {rows}",
            "name all of them in the order of its training, one a line, or take the list away: without one, "
            "classes are matched by their place",
        )
    if rows and told:
        return tuple(told)
    return COCO_LABELS if rows == len(COCO_LABELS) else ()


def _require_backbone(path: Path, weights: Weights, own: Weights, arrays: Weights) -> None:
    fitting, whole = (
        sum(value.size for name, value in some.items() if name.startswith(BACKBONE)) for some in (arrays, own)
    )
    if fitting * 2 < whole:
        raise TrainingError(
            f"{path} ({describe(weights)}) fits {fitting} of the {whole} values of the backbone "
            f"({describe(own)}): it belongs to another architecture",
            "set model.variant to the one the weights are for, or model.pretrained: none",
        )


@dataclass(frozen=True, slots=True)
class _Classes:
    taken: list[str]
    new: list[str]


def _classes(labels: Sequence[str], known: Sequence[str], places: list[int | None] | None) -> _Classes | None:
    if places is None:
        return None
    pairs = [(label, None if at is None else known[at]) for label, at in zip(labels, places, strict=True)]
    taken = [label if label == other else f"{label} as {other}" for label, other in pairs if other]
    return _Classes(taken, [label for label, other in pairs if other is None])


def _line(name: str, arrays: Weights, fresh: list[str], classes: _Classes | None) -> str:
    if all(layer.startswith(BACKBONE) for layer in arrays):
        return f"starting from {name}: the backbone; neck and head are new"
    others = [layer for layer in fresh if not is_class_layer(layer)]
    parts = [_classes_line(fresh, classes)]
    if others:
        more = ", ..." if len(others) > _NAMED_LAYERS else ""
        parts.append(f"{len(others)} further layers are new ({', '.join(others[:_NAMED_LAYERS])}{more})")
    return f"starting from {name}: {'; '.join(parts)}"


def _classes_line(fresh: list[str], classes: _Classes | None) -> str:
    if classes is None:
        kept = "all weights, the classes in the order of the file, which does not name them"
        return "all but the classes, which are new" if any(map(is_class_layer, fresh)) else kept
    if not classes.taken:
        return "all but the classes, which are new"
    new = f", new {', '.join(classes.new)}" if classes.new else ""
    return f"all weights with the classes {', '.join(classes.taken)}{new}"
