"""What LitServe and BentoML run: maskdet's own decoder, detector and NMS, so that only the servers differ."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import decode_reduced

THRESHOLD = float(os.environ["BENCH_THRESHOLD"])
WORKERS = int(os.environ["BENCH_WORKERS"])


class Network:
    """A loaded bundle; its session has as many threads as each worker may use."""

    def __init__(self) -> None:
        bundle = load_bundle(Path(os.environ["BENCH_MODEL"]))
        self._detector = Detector(bundle, threads=int(os.environ["BENCH_THREADS"]))

    def detect(self, data: bytes) -> list[dict[str, Any]]:
        decoded = decode_reduced(data, at_least=self._detector.meta.input_size)
        found = self._detector.detect(decoded.pixels, decoded.size, from_score=THRESHOLD)
        labels = self._detector.meta.labels
        rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
        return [{"label": labels[class_id], "score": score, "box": box} for class_id, score, box in rows]
