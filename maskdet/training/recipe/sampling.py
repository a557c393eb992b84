"""Which pictures an epoch shows, in which order, and which worker gets them. No Paddle here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from maskdet.dataset.manifest import Manifest

Weights = NDArray[np.float64]


def repeat_factors(manifest: Manifest, share: float) -> Weights:
    """How often an epoch shows each train picture on average: [P], at least the weight of its root.

    A class in fewer than `share` of the pictures is raised towards it: max over the picture's classes of
    sqrt(share / frequency), as in LVIS (Gupta et al. 2019, section 4). `share` 0 repeats nothing. Difficult
    faces are not taught, so they do not count.
    """
    pictures = manifest.part("train")
    classes = [{item.label for item in picture.objects if not item.difficult} for picture in pictures]
    counts = {label: sum(label in some for some in classes) for label in manifest.labels}
    factors = {
        label: max(1.0, float(np.sqrt(share * len(pictures) / count)))
        for label, count in counts.items()
        if count
    }
    balance = [max((factors[label] for label in some), default=1.0) for some in classes]
    weights = {root.name: root.weight for root in manifest.roots}
    return np.array(
        [factor * weights.get(each.root, 1.0) for factor, each in zip(balance, pictures, strict=True)]
    )


class EpochOrder:
    """Batches of picture numbers, one list per step; the same seed and epoch give the same on every machine.

    Every epoch has the same number of steps. Worker `rank` of `workers` gets its equal part of each batch.
    """

    def __init__(self, factors: Weights, batch_size: int, seed: int, rank: int = 0, workers: int = 1) -> None:
        self._factors, self._batch, self._seed = factors, batch_size, seed
        self._mine = slice(rank, None, workers)
        self.steps = steps_per_epoch(factors, batch_size)

    def batches(self, epoch: int) -> Iterator[Sequence[int]]:
        order = self._order(np.random.default_rng([self._seed, epoch]))
        for step in range(self.steps):
            yield order[step * self._batch : (step + 1) * self._batch][self._mine].tolist()

    def _order(self, random: np.random.Generator) -> NDArray[np.int64]:
        whole = np.floor(self._factors).astype(np.int64)
        more = random.random(len(whole)) < self._factors - whole
        order = random.permutation(np.repeat(np.arange(len(whole)), whole + more))
        length = self.steps * self._batch
        if not len(order):
            # With small weights chance may choose no picture, and np.resize makes zeros of nothing.
            return random.choice(len(whole), length, p=self._factors / self._factors.sum())
        return np.resize(order, length)


def steps_per_epoch(factors: Weights, batch_size: int) -> int:
    """Full batches in an average epoch."""
    return int(factors.sum() // batch_size)
