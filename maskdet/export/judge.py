"""A bundle judged on the val part, by the evaluator that judges checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.bundle import Bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_picture
from maskdet.errors import BundleError
from maskdet.evaluation.evaluator import evaluate
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.progress import Track, silent
from maskdet.types import Detections


def evaluate_bundle(
    bundle: Bundle, manifest: Manifest, data_root: Path, settings: EvalSettings, *, track: Track = silent
) -> Evaluation:
    """Detect in every val picture with ONNX Runtime and judge.

    Raises BundleError when the bundle's labels are not those of the data set.
    """
    if bundle.meta.labels != manifest.labels:
        raise BundleError(
            f"{bundle.path} knows {', '.join(bundle.meta.labels)}; "
            f"the data set has {', '.join(manifest.labels)}",
            "set data.labels and data.aliases so that both have the same classes in the same order",
        )
    pictures = manifest.part("val")
    found = track(_detect(Detector(bundle), pictures, data_root), "evaluating", len(pictures))
    pairs = zip((manifest.ground_truth(picture) for picture in pictures), found, strict=True)
    return evaluate(pairs, manifest.labels, thresholds=settings.threshold)


def _detect(detector: Detector, pictures: Sequence[ManifestPicture], root: Path) -> Iterator[Detections]:
    for picture in pictures:
        yield detector.detect(read_picture(root / picture.picture))
