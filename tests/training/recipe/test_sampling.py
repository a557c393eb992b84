"""How often an epoch shows each picture. Weights of roots are tested with the roots."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture
from maskdet.training.recipe.sampling import EpochOrder, repeat_factors

BOX = (0.0, 0.0, 20.0, 20.0)


def picture(number: int, *objects: ManifestObject) -> ManifestPicture:
    return ManifestPicture(f"{number}.jpg", "", "train", 100, 100, f"{number}", objects)


def test_difficult_faces_make_no_picture_rare() -> None:
    """Of four pictures one has a bare face to learn from: sqrt(0.5 / 0.25)."""
    masked, bare = ManifestObject("with_mask", BOX), ManifestObject("without_mask", BOX)
    difficult = ManifestObject("without_mask", BOX, difficult=True)
    pictures = [picture(0, masked, bare), picture(1, masked, difficult)]
    pictures += [picture(number, masked) for number in (2, 3)]
    found = repeat_factors(Manifest(("with_mask", "without_mask"), tuple(pictures)), 0.5)
    assert found == pytest.approx(np.sqrt([2, 1, 1, 1]))


def test_an_epoch_to_which_no_picture_falls_draws_one_by_weight() -> None:
    factors = np.array([0.1, *[0.05] * 18])
    drawn = [next(EpochOrder(factors, 1, seed).batches(0))[0] for seed in range(2000)]
    shares = np.bincount(drawn, minlength=len(factors)) / len(drawn)
    assert shares == pytest.approx(factors / factors.sum(), abs=0.03)
