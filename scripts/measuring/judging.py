"""Where the time for evaluating a bundle goes, as a Markdown table: processor seconds of one core per part.

    python scripts/measuring/judging.py --manifest runs/NAME/prepare/manifest.json

Each part runs by itself on all val pictures, in the order of `maskdet eval --model FILE.onnx`. Processor
seconds are affected least by other work on the machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from maskdet.dataset.manifest import load_manifest
from maskdet.detector.brightness import mean_luma
from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_reduced
from maskdet.detector.shipped import shipped_model
from maskdet.evaluation.appraisal import appraise
from maskdet.evaluation.plots import thresholds  # noqa: F401 - part of the start
from maskdet.evaluation.policies.compared import Shipped
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging.views import view_of
from maskdet.pipeline.stages.eval import write_evaluation


@dataclass(slots=True)
class Clock:
    """Processor seconds by part."""

    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.parts[part] = time.process_time() - started

    def table(self) -> str:
        rows = [f"| {part} | {seconds:.2f} |" for part, seconds in self.parts.items()]
        return "\n".join(["| part | processor, s |", "|---|---:|", *rows])


def measure(clock: Clock, manifest_file: Path, model: Path | None) -> None:
    """Time each part."""
    clock.parts["start: Python, libraries, plotting"] = time.process_time()
    cv2.setNumThreads(1)
    with clock.timing("manifest and model"):
        manifest, bundle = load_manifest(manifest_file), load_bundle(model or shipped_model())
        detector, meta, items = Detector(bundle, threads=1), bundle.meta, manifest.part("val")
    with clock.timing("decoding"):
        pictures = [read_reduced(manifest.path(item), at_least=meta.input_size) for item in items]
    with clock.timing("brightness"):
        views = [
            view_of(manifest, item, mean_luma(picture.pixels))
            for item, picture in zip(items, pictures, strict=True)
        ]
    with clock.timing("detection: resize, network, NMS"):
        found = [detector.detect(picture.pixels, picture.size) for picture in pictures]
    with clock.timing("figures, intervals, slices, mistakes"):
        pairs = zip(map(manifest.ground_truth, items), found, strict=True)
        settings = EvalSettings()
        shipped = Shipped.of(meta, meta.thresholds)
        judged = appraise(pairs, views, meta.labels, settings, meta.input_size, shipped=shipped)
    with clock.timing("plots, worst mistakes, report"), tempfile.TemporaryDirectory() as folder:
        write_evaluation(judged, manifest.files, Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", type=Path, metavar="FILE.onnx", help="default: the shipped one")
    chosen = parser.parse_args()
    clock = Clock()
    measure(clock, chosen.manifest, chosen.model)
    print(clock.table())


if __name__ == "__main__":
    main()
