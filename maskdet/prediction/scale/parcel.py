"""Sources and outcomes as JSON, for the way between processes and for partial results on disk."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

import numpy as np

from maskdet.detector.conclusion import Conclusion
from maskdet.detector.verdict import Verdict
from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.sources import Source
from maskdet.types import Detections


def source_to_json(source: Source) -> dict[str, str]:
    told = {"path": source.path, "drawn": source.drawn, "below": source.below}
    return {**{key: str(path) for key, path in told.items()}, "address": source.address}


def source_from_json(value: dict[str, str]) -> Source:
    drawn, below = PurePath(value["drawn"]), PurePath(value["below"])
    return Source(Path(value["path"]), "picture", drawn, below, value["address"])


def outcome_to_json(outcome: Prediction | Failure) -> dict[str, Any]:
    """Scores and boxes come back as the same float32."""
    if isinstance(outcome, Failure):
        return {"reason": outcome.reason}
    found = outcome.concluded.detections
    return {
        "size": outcome.size,
        "boxes": found.boxes.tolist(),
        "scores": found.scores.tolist(),
        "class_ids": found.class_ids.tolist(),
        "outcome": outcome.concluded.verdict.outcome,
        "counts": outcome.concluded.verdict.counts,
        "undrawn": outcome.undrawn,
    }


def outcome_from_json(value: dict[str, Any], source: Source) -> Prediction | Failure:
    """What `outcome_to_json` was given for that source."""
    if "reason" in value:
        return Failure(source.name, value["reason"])
    found = Detections(
        np.array(value["boxes"], np.float32).reshape(-1, 4),
        np.array(value["scores"], np.float32),
        np.array(value["class_ids"], np.int64),
    )
    height, width = value["size"]
    verdict = Verdict(value["outcome"], value["counts"])
    return Prediction(source, (height, width), Conclusion(found, verdict), undrawn=value["undrawn"])
