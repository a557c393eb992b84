"""Whether a training starts from weights that know all classes of the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskdet.training.settings import ModelSettings
from maskdet.training.start.class_matching import related
from maskdet.training.start.coco import COCO_LABELS
from maskdet.training.start.starting import Start, published_start, start_of
from maskdet.wording.lexicon import Roles


def knows_classes(
    model: ModelSettings, labels: Sequence[str], roles: Roles | None = None, registry: Path | None = None
) -> bool:
    """Whether each of the data's `labels` starts from a class of the weights. Published weights are not read.
    `roles` are those of the data that its names do not imply; registry: its folder.

    Raises like `start_of`, TrainingError for a damaged file or names that cannot be its classes, and
    PipelineFileError for a class map with unknown names.
    """
    if published_start(model):
        return model.pretrained == "coco" and None not in related(labels, COCO_LABELS, model.class_map, roles)
    start = start_of(model, roles, registry)
    return start is not None and _knows(start, labels)


def _knows(start: Start, labels: Sequence[str]) -> bool:
    # Reading a file imports numpy, and only a start from a file has one to read.
    from maskdet.training.start.architecture import class_count  # noqa: PLC0415
    from maskdet.training.start.transfer import class_names  # noqa: PLC0415
    from maskdet.training.start.weights import read_weights  # noqa: PLC0415

    weights = read_weights(start.path)
    known = class_names(start.path, weights, start.labels)
    if known or start.class_map:
        return None not in related(labels, known, start.class_map, start.roles)
    # A file that does not name its classes is matched by order.
    return class_count(weights) == len(labels)
