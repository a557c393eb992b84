"""How often the gates refuse an equal model, and how often they pass a worse one, as Markdown tables.

    python scripts/measuring/gates.py --data FOLDER [--trials 60]

FOLDER is the public set of configs/face_mask.yml. The champion is the shipped model; challengers are copies
of it whose weights have noise.

Equal models: for each picture of val a coin decides which of two models plays the challenger. Neither side is
better, and they differ as much as the two models do. Every refusal is a false one.

Worse models: val is drawn with replacement from its own pictures, so that the difference on the whole val is
the true one. Every pass is a false one, if that difference is beyond a margin.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.dataset.prepare import prepare
from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.shipped import shipped_model
from maskdet.evaluation.intervals import draw_resamples
from maskdet.gates.absolute import Absolute
from maskdet.gates.needs import Needs
from maskdet.gates.relative import Pair, comparisons
from maskdet.gates.ruling import Ruling
from maskdet.gates.settings import GateSettings
from maskdet.gates.side import Side
from maskdet.judging.bundles import Sighting, see_val
from maskdet.pipeline.file.load import load_pipeline
from maskdet.types import IntArray

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "face_mask.yml"
RESAMPLES = 400
EQUAL = ((0.02, 3), (0.05, 3))
WORSE = ((0.05, 1), (0.1, 3))
"""Noise, as a share of the standard deviation of each kernel's weights, and its seed."""


def noisy(scale: float, seed: int, folder: Path) -> Bundle:
    """The shipped model with normal noise in the kernels of its convolutions."""
    model, draw = onnx.load(shipped_model()), np.random.default_rng(seed)
    constants = [each.t for node in model.graph.node if node.op_type == "Constant" for each in node.attribute]
    for tensor in (*model.graph.initializer, *constants):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 4 and values.size > 64:
            noise = scale * values.std() * draw.standard_normal(values.shape)
            tensor.CopyFrom(numpy_helper.from_array((values + noise).astype(np.float32), tensor.name))
    target = folder / f"{scale}-{seed}.onnx"
    onnx.save(model, target)
    return load_bundle(target)


class Trials:
    """Both models' detections on val, regrouped into many comparisons."""

    def __init__(self, bundle: Bundle, manifest: Manifest, champion: Sighting, challenger: Sighting) -> None:
        self._bundle, self._labels = bundle, manifest.labels
        self._sightings = (challenger, champion)
        self._pictures = len(champion.pairs)
        self._settings = GateSettings()

    def equal(self, count: int) -> Iterator[list[Ruling]]:
        draw = np.random.default_rng(5)
        everything = np.arange(self._pictures)
        for _ in range(count):
            yield self._rulings(everything, draw.integers(0, 2, self._pictures))

    def redrawn(self, count: int) -> Iterator[list[Ruling]]:
        draw = np.random.default_rng(6)
        for _ in range(count):
            drawn = draw.integers(0, self._pictures, self._pictures)
            yield self._rulings(drawn, np.zeros(self._pictures, np.int64))

    def whole(self) -> list[Ruling]:
        return self._rulings(np.arange(self._pictures), np.zeros(self._pictures, np.int64))

    def _rulings(self, pictures: IntArray, swapped: IntArray) -> list[Ruling]:
        weights = draw_resamples(len(pictures), RESAMPLES)
        one, other = (self._side(pictures, swapped, turn, weights) for turn in (0, 1))
        faces = int(one.pool.face_counts.sum())
        needs = Needs(self._settings.counts, len(pictures), faces)
        pair = Pair(one, other, weights, needs)
        absolute = Absolute(one, needs, weights, self._settings).rulings()
        return [*absolute, *(each.ruling(pair) for each in comparisons(self._settings, other))]

    def _side(self, pictures: IntArray, swapped: IntArray, turn: int, weights: np.ndarray) -> Side:
        chosen = [self._sightings[int(swap) ^ turn] for swap in swapped]
        own = replace(
            self._sightings[turn],
            pairs=tuple(each.pairs[n] for each, n in zip(chosen, pictures, strict=True)),
            views=tuple(each.views[n] for each, n in zip(chosen, pictures, strict=True)),
        )
        return Side.seen(self._bundle, own, self._labels, weights)


def shares(trials: Iterator[list[Ruling]], of: Callable[[Ruling], bool]) -> tuple[float, Counter[str], int]:
    """The share of trials in which any rule is so, and how often each is."""
    any_, names, count = 0, Counter[str](), 0
    for rulings in trials:
        found = [each.name for each in rulings if of(each)]
        any_, count = any_ + bool(found), count + 1
        names.update(found)
    return any_ / count, names, count


def difference(rulings: Sequence[Ruling], name: str) -> str:
    value = next(each.measure.value for each in rulings if each.name == f"not_worse.{name}")
    return "–" if value is None else f"{100 * value:+.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), options.data, options.trials)


def measure(folder: Path, data: Path, trials: int) -> None:
    """Print both tables."""
    pipeline = load_pipeline(CONFIG, [f"data.root={data}"])
    prepare(pipeline.data, folder, input_size=(640, 640))
    manifest = load_manifest(folder / "manifest.json")
    champion = load_bundle(shipped_model())
    seen = see_val(champion, manifest)
    print("| models | noise | AP50 | AP50:95 | refused | by |\n|---|---:|---:|---:|---:|---|")
    for kind, noises in (("equal", EQUAL), ("worse", WORSE)):
        for scale, seed in noises:
            own = Trials(champion, manifest, seen, see_val(noisy(scale, seed, folder), manifest))
            regrouped = own.equal(trials) if kind == "equal" else own.redrawn(trials)
            share, names, count = shares(regrouped, lambda ruling: ruling.refuses)
            by = ", ".join(f"{name} {times / count:.0%}" for name, times in names.most_common())
            whole = own.whole()
            figures = [difference(whole, name) for name in ("ap50", "ap50_95")]
            print(f"| {kind} | {scale} | {' | '.join(figures)} | {share:.0%} | {by} |", flush=True)


if __name__ == "__main__":
    main()
