"""The profile of a model, from its own answers on val."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskdet.detector.profile import Histogram, Profile
from maskdet.drift.comparison import groups_of
from maskdet.drift.features import EDGES, PICTURE_FEATURES, Bins
from maskdet.drift.sighting import Sighting
from maskdet.drift.tally import Tally
from maskdet.types import IntArray


def take_profile(sightings: Sequence[Sighting], labels: Sequence[str]) -> Profile:
    """Not of the labelled faces: a model that misses small ones would seem to see other faces ever after."""
    bins = Bins(labels)
    each = [_tally(one, bins) for one in sightings]
    total = Tally(bins)
    for one in each:
        total.merge(one)
    features = {
        name: _histogram(
            name, np.array([one.counts[name] for one in each], np.int64).reshape(-1, bins.size(name))
        )
        for name in bins.edges
    }
    return Profile(pictures=len(sightings), verdicts=total.verdicts, features=features)


def _tally(seen: Sighting, bins: Bins) -> Tally:
    made = Tally(bins)
    made.add(seen)
    return made


def _histogram(name: str, by_picture: IntArray) -> Histogram:
    """by_picture: counts [pictures, bins]."""
    plain = Histogram(edges=EDGES[name], counts=tuple(by_picture.sum(axis=0).tolist()))
    if name in PICTURE_FEATURES or not by_picture.any():
        return plain
    return plain.model_copy(update={"design_effect": round(_design_effect(name, plain, by_picture), 3)})


def _design_effect(name: str, histogram: Histogram, by_picture: IntArray) -> float:
    """Rao and Scott's mean design effect of the groups' shares, pictures being the clusters; at least 1.

    The variance of a share is that of a ratio of two sums over pictures. Where all faces are in one group,
    the shares do not vary: the faces of a picture then count as one.
    """
    grouping = groups_of(name, histogram)
    number = int(grouping.max()) + 1
    member = (grouping[:, None] == np.arange(number)).astype(np.int64)
    faces = by_picture.sum(axis=1)
    counts = by_picture @ member
    total, pictures = int(faces.sum()), int((faces > 0).sum())
    shares = counts.sum(axis=0) / total
    filled = shares > 0
    if filled.sum() < 2 or pictures < 2:
        return float((faces**2).sum() / total)
    errors = counts - faces[:, None] * shares
    variances = (errors**2).sum(axis=0) / total**2 * pictures / (pictures - 1)
    effect = (total * variances[filled] / shares[filled]).sum() / (filled.sum() - 1)
    return max(1.0, float(effect))
