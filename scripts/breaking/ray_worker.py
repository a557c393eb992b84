"""Two workers of Ray score 2,000 pictures, one is killed on the way: is each picture there exactly once?"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.shipped import shipped_model
from maskdet.prediction.predict import predict
from maskdet.prediction.scale.ray_engine import RayEngine
from maskdet.progress import T

SIDE = 96


class KillsAWorker:
    """A track that kills a scoring process halfway."""

    def __init__(self) -> None:
        self.killed = 0

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        for number, item in enumerate(items):
            if description == "score" and number == (total or 0) // 2:
                self.killed = _a_scorer()
                psutil.Process(self.killed).kill()
                print(f"killed process {self.killed} after {number} of {total} chunks")
            yield item


def _a_scorer() -> int:
    for process in psutil.Process().children(recursive=True):
        if "Scorer" in " ".join(process.cmdline()):
            return process.pid
    raise SystemExit("no scoring process was found")


def draw(folder: Path, count: int) -> None:
    """Small noise pictures, each different."""
    random = np.random.default_rng(1)
    for number in range(count):
        pixels = random.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:05}.jpg"), pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    chosen = parser.parse_args()
    bundle = load_bundle(shipped_model())
    with tempfile.TemporaryDirectory() as folder:
        pictures, out = Path(folder) / "pictures", Path(folder) / "out"
        pictures.mkdir()
        draw(pictures, chosen.pictures)
        began, track = time.perf_counter(), KillsAWorker()
        engine = RayEngine(bundle, out, workers=2, track=track)
        summary = predict(
            Detector(bundle, threads=1), [str(pictures)], formats=["json"], out=out, engine=engine
        )
        found = json.loads((out / "predictions.json").read_text(encoding="utf-8"))["pictures"]
        counts = Counter(each["file"] for each in found)
        expected = {path.as_posix() for path in pictures.iterdir()}
        once = counts.keys() == expected and set(counts.values()) == {1}
        print(f"{summary.pictures} pictures in {time.perf_counter() - began:.0f} s, each once: {once}")
        if not once or not track.killed:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
