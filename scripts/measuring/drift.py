"""How often drift is named where there is none, and where there is some: on a model's real answers on val.

Two samples are drawn with replacement from the pictures of val, one as the reference and one as what a
server saw, so they differ by chance only. Then the second comes from the same pictures, darkened or blurred.
Whole pictures are drawn, not faces.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.conclusion import conclude, rule_of
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_reduced
from maskdet.detector.preprocess import resize
from maskdet.detector.shipped import shipped_model
from maskdet.drift.appearance import appearance
from maskdet.drift.comparison import compare
from maskdet.drift.features import FEATURES, Bins
from maskdet.drift.profile import take_profile
from maskdet.drift.settings import LIMIT
from maskdet.drift.sighting import Sighting, sighting
from maskdet.drift.tally import Tally
from maskdet.types import Picture

CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "as they are": lambda picture: picture,
    "half as bright": lambda picture: cv2.convertScaleAbs(picture, alpha=0.5),
    "blurred, sigma 2 at network size": lambda picture: cv2.GaussianBlur(picture, (0, 0), 2),
}


def sightings(bundle: Bundle, manifest: Manifest, change: Callable[[Picture], Picture]) -> list[Sighting]:
    """What a server would count of each val picture, changed at network size."""
    detector = Detector(bundle, threads=1)
    rule, size = rule_of(bundle.meta), bundle.meta.input_size
    found = []
    for path in manifest.paths("val"):
        picture = read_reduced(path, at_least=size)
        pixels = change(resize(picture.pixels, size))
        answered = conclude(detector.detect(pixels, picture.size), detector.thresholds, rule)
        seen = appearance(pixels)
        found.append(sighting(seen, answered.detections, picture.size, answered.verdict.outcome))
    return found


def rounds(
    reference: Sequence[Sighting], seen: Sequence[Sighting], labels: Sequence[str], count: int, repeats: int
) -> Iterator[dict[str, tuple[bool, str]]]:
    """By feature whether PSI exceeds what chance explains, and the verdict."""
    draw = np.random.default_rng(0)
    for _ in range(repeats):
        one = [reference[number] for number in draw.integers(0, len(reference), len(reference))]
        tally = Tally(Bins(labels))
        for number in draw.integers(0, len(seen), count):
            tally.add(seen[number])
        compared = compare(take_profile(one, labels), tally, LIMIT)
        yield {each.feature: ((each.psi or 0) > (each.chance or 0), each.verdict) for each in compared}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="runs/NAME/prepare/manifest.json")
    parser.add_argument("--model", type=Path, default=None, help="default: the shipped model")
    parser.add_argument("--repeats", type=int, default=1000)
    given = parser.parse_args()
    bundle, manifest = load_bundle(given.model or shipped_model()), load_manifest(given.manifest)
    labels = bundle.meta.labels
    seen = {name: sightings(bundle, manifest, change) for name, change in CHANGES.items()}
    reference = seen["as they are"]
    for name, changed in seen.items():
        for count in (50, 150, 200, 500, 5000):
            found = list(rounds(reference, changed, labels, count, given.repeats))
            shares = ", ".join(
                f"{feature} {_share(one[feature][0] for one in found)}"
                f"/{_share(one[feature][1] == 'drift' for one in found)}"
                f"/{_share(one[feature][1] == 'too few' for one in found)}"
                for feature in FEATURES
            )
            anything = _share(any(verdict == "drift" for _, verdict in one.values()) for one in found)
            print(f"{name}, {count} pictures, beyond chance/drift/too few: {shares}; any drift {anything}")


def _share(true: Iterator[bool]) -> str:
    values = list(true)
    return f"{100 * sum(values) / len(values):.1f}%"


if __name__ == "__main__":
    main()
