"""How close scores come to probabilities with maps of more parameters than one temperature.

    python scripts/measuring/calibration.py --manifest runs/face-mask/prepare/manifest.json [--model MODEL]

Each map is fitted without a fold of val's pictures and applied to it. Prints a table of expected calibration
errors for scores from 0.1, as `maskdet eval` gives it. The model must not be calibrated.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from numpy.typing import NDArray

from maskdet.dataset.manifest import load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_model
from maskdet.evaluation.calibration.cross_fit import FOLDS, fitted, folds_of
from maskdet.evaluation.calibration.reliability import Marked, Reliability, marked_detections
from maskdet.evaluation.evaluator import checked_scenes
from maskdet.judging.bundles import see_val
from maskdet.wording.markdown import table
from ship_model import uncalibrated

Scores = NDArray[np.float64]
Map = Callable[[Scores], Scores]
Fit = Callable[[Marked], Map]
_EDGE: Final = 1e-6
_STEPS: Final = 100
_RIDGE: Final = 1e-3


def temperature(marked: Marked) -> Map:
    calibration = fitted(marked)
    return lambda scores: calibration.probabilities(scores.astype(np.float32)).astype(np.float64)


def platt(marked: Marked) -> Map:
    return _logistic(marked, lambda scores: np.stack([_logit(scores), np.ones(len(scores))], axis=1))


def beta(marked: Marked) -> Map:
    """M. Kull et al., Beyond sigmoids, Electronic Journal of Statistics 11 (2017)."""

    def features(scores: Scores) -> Scores:
        inside = np.clip(scores, _EDGE, 1 - _EDGE)
        return np.stack([np.log(inside), -np.log1p(-inside), np.ones(len(scores))], axis=1)

    return _logistic(marked, features)


def isotonic(marked: Marked) -> Map:
    """Pool adjacent violators."""
    order = np.argsort(marked.scores, kind="stable")
    blocks: list[tuple[float, int]] = []
    for right in marked.right[order].astype(float):
        mean, count = right, 1
        while blocks and blocks[-1][0] >= mean:
            other, size = blocks.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        blocks.append((mean, count))
    values = np.repeat([mean for mean, _ in blocks], [count for _, count in blocks])
    known = marked.scores[order].astype(np.float64)
    return lambda scores: np.interp(scores, known, values)


MAPS: Final[tuple[tuple[str, Fit | None, bool], ...]] = (
    ("none", None, False),
    ("temperature", temperature, False),
    ("temperature by class", temperature, True),
    ("Platt", platt, False),
    ("Platt by class", platt, True),
    ("beta by class", beta, True),
    ("isotonic by class", isotonic, True),
)
"""Name, fit, and whether there is one for each class."""


def held_out(marked: Marked, own: NDArray[np.int64], fit: Fit, *, by_class: bool) -> Marked:
    """The detections with scores from a map that has not seen their fold; own [N]: the fold of each."""
    scores = marked.scores.astype(np.float64)
    for fold in range(FOLDS):
        for number in np.unique(marked.class_ids):
            same = marked.class_ids == number
            known = marked.select((own != fold) & same if by_class else own != fold)
            rows = (own == fold) & same
            scores[rows] = fit(known)(scores[rows])
    return Marked(scores.astype(np.float32), marked.right, marked.class_ids, marked.pictures)


def measure(manifest_file: Path, model: Path) -> str:
    seen = see_val(uncalibrated(load_bundle(model)), load_manifest(manifest_file))
    labels = seen.match.labels
    scenes = checked_scenes(((truth, seen.match.remapped(found)) for truth, found in seen.pairs), labels)
    marked, folds = marked_detections(scenes, labels), folds_of(seen.views)
    numbers = np.unique(marked.class_ids)
    rows = []
    for name, fit, by_class in MAPS:
        own = folds[marked.pictures]
        after = marked if fit is None else held_out(marked, own, fit, by_class=by_class)
        parts = [after, *(after.select(after.class_ids == number) for number in numbers)]
        rows.append([name, *(f"{Reliability.of(part).ece:.3f}" for part in parts)])
    return table(("map", "all", *(labels[number] for number in numbers)), rows)


def _logistic(marked: Marked, features: Callable[[Scores], Scores]) -> Map:
    """Logistic regression by Newton's method with bounded steps."""
    x, right = features(marked.scores.astype(np.float64)), marked.right
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        known = _sigmoid(x @ weights)
        slope = x.T @ (right - known) - _RIDGE * weights
        curve = (x * (known * (1 - known))[:, None]).T @ x + _RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        weights += step / max(1.0, float(np.abs(step).max()) / 2)
    return lambda scores: _sigmoid(features(scores) @ weights)


def _logit(scores: Scores) -> Scores:
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    return np.log(inside) - np.log1p(-inside)


def _sigmoid(values: Scores) -> Scores:
    return 1 / (1 + np.exp(-values))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    chosen = parser.parse_args()
    print(measure(chosen.manifest, chosen.model or shipped_model()))


if __name__ == "__main__":
    main()
