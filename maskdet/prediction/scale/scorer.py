"""What runs in a worker process of Ray: one detector, and a chunk of pictures at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.tiling import Look
from maskdet.errors import BundleError
from maskdet.prediction.predict import Work
from maskdet.prediction.scale.parcel import outcome_to_json, source_from_json


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that a worker needs, on whatever machine it is."""

    model: Path
    sha256: str
    """Of the model file, which may be replaced while pictures are scored."""
    threshold: float | None
    look: Look
    drawings: Path | None


class Scorer:
    """Created once in each worker; loading the model takes a moment."""

    def __init__(self, order: Order) -> None:
        bundle = load_bundle(order.model)
        if bundle.sha256 != order.sha256:
            raise BundleError(f"{order.model} was replaced meanwhile", "start the command again")
        self._work = Work.of(Detector(bundle, threads=1), order.threshold, order.look, order.drawings)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """`number` and `sources` of a chunk → `number` and `outcomes`, a JSON line for each picture."""
        outcomes = (self._work.picture(source_from_json(source)) for source in json.loads(row["sources"]))
        lines = [json.dumps(outcome_to_json(outcome)) for outcome in outcomes]
        return {"number": row["number"], "outcomes": "\n".join(lines) + "\n"}
