"""Does reading large JPEGs at a fraction of their size cost accuracy? A Markdown table.

    python scripts/measuring/served_path.py --manifest runs/NAME/prepare/manifest.json

The val pictures are evaluated as they are, then enlarged (bicubic, JPEG of quality 90) to a longer side of
1920 and 3840 pixels: each decoded in full, and at the fraction that the detector reads. All at the model's
own thresholds; milliseconds of one core, to decode and to resize to the network input.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from maskdet.dataset.manifest import Manifest, ManifestPicture, load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import decode_reduced, read_picture
from maskdet.detector.preprocess import resize
from maskdet.detector.shipped import shipped_model
from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.evaluation.tables import percent
from maskdet.evaluation.views import View
from maskdet.system.machine import core_count
from maskdet.types import Detections
from maskdet.wording.markdown import table

SIDES = (None, 1920, 3840)
"""Pixels of the longer side; None leaves the pictures as they are."""
QUALITY = 90
HEADINGS = ("longer side, px", "decoded", "AP50", "AP50:95", "recall", "bare passed", "false alarms", "ms")


@dataclass(frozen=True, slots=True)
class Seen:
    """The detections in one picture, and the milliseconds of one core to read its pixels."""

    found: Detections
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Bench:
    """A model, and the val pictures to evaluate it on."""

    detector: Detector
    manifest: Manifest

    def rows(self, side: int | None) -> list[list[str]]:
        """The figures of one size, decoded in full and at a fraction."""
        pictures = self.manifest.part("val")
        size = self.detector.meta.input_size
        rows = []
        for way, at_least in (("in full", None), ("at a fraction", size)):
            with ThreadPoolExecutor(core_count()) as pool:
                seen = list(pool.map(lambda item: self._seen(item, side, at_least), pictures))  # noqa: B023
            judged = self._judge(pictures, [each.found for each in seen])
            took = float(np.median([each.milliseconds for each in seen]))
            rows.append([str(side or "as they are"), way, *figures(judged), f"{took:.1f}"])
        return rows

    def _seen(self, item: ManifestPicture, side: int | None, at_least: tuple[int, int] | None) -> Seen:
        path = self.manifest.path(item)
        data = path.read_bytes() if side is None else enlarged(path, side)
        started = time.thread_time()
        decoded = decode_reduced(data, at_least=at_least)
        tensor = resize(decoded.pixels, self.detector.meta.input_size)
        took = 1000 * (time.thread_time() - started)
        # The size of the manifest: boxes are needed in pixels of the annotated picture.
        return Seen(self.detector.detect(tensor, (item.height, item.width)), took)

    def _judge(self, pictures: Sequence[ManifestPicture], found: Sequence[Detections]) -> Evaluation:
        meta = self.detector.meta
        truths = (self.manifest.ground_truth(item) for item in pictures)
        # Brightness only affects slices, which are not shown.
        views = [View(self.manifest.name(item), (item.height, item.width), 0.0) for item in pictures]
        pairs = zip(truths, found, strict=True)
        shipped = Shipped.of(meta, meta.thresholds)
        return appraise(pairs, views, meta.labels, EvalSettings(), meta.input_size, shipped=shipped)


def enlarged(path: Path, side: int) -> bytes:
    """A JPEG of the picture with the given longer side."""
    picture = read_picture(path)
    scale = side / max(picture.shape[:2])
    larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    bgr = cv2.cvtColor(larger, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1])


def figures(judged: Evaluation) -> list[str]:
    """AP, recall at the thresholds, bare faces passed and false alarms."""
    found, faces = (
        sum(getattr(each, name) for each in judged.classes) for name in ("true_positives", "truths")
    )
    shares = [percent(judged.ap50), percent(judged.ap50_95), percent(found / faces)]
    rates = judged.safety.rates if judged.safety else {}
    passed, alarms = rates["bare_passed"], rates["false_alarms_per_1000"]
    return [*shares, f"{passed.count} of {passed.of}", str(alarms.count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument(
        "--model", type=Path, default=None, metavar="FILE.onnx", help="default: the shipped one"
    )
    chosen = parser.parse_args()
    detector = Detector(load_bundle(chosen.model or shipped_model()), threads=1)
    bench = Bench(detector, load_manifest(chosen.manifest))
    cv2.setNumThreads(1)
    print(table(HEADINGS, [row for side in SIDES for row in bench.rows(side)]))


if __name__ == "__main__":
    main()
