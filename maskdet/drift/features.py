"""The features that are watched, and the edges of their bins.

Pictures: `brightness` and `blur` (`drift.appearance`), and `faces`, the number of faces in a picture.
Faces: `face_size` (the root of the box's share of the picture's area), `face_pixels` (the root of its area,
in pixels of the picture as sent), `score`, and `label`, which has one bin for each of the model's labels.

Bins are fine and fixed, so that histograms of different models and times can be added and compared;
`drift.psi` joins them as far as the reference allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from maskdet.detector.profile import LABEL, Profile

Edges = tuple[float, ...]


def _geometric(first: float, last: float) -> Edges:
    """From first to last, two edges to each doubling, three digits each."""
    edges, value = [], first
    while value <= last * 1.01:
        edges.append(float(f"{value:.3g}"))
        value *= 2**0.5
    return tuple(edges)


EDGES: Final[Mapping[str, Edges]] = {
    "brightness": tuple(float(8 * step) for step in range(1, 32)),
    "blur": _geometric(4, 16384),
    "faces": (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48),
    "face_size": _geometric(1 / 128, 1),
    "face_pixels": _geometric(4, 1024),
    "score": tuple(round(0.025 * step, 3) for step in range(8, 40)),
    LABEL: (),
}
PICTURE_FEATURES: Final = ("brightness", "blur", "faces")
FEATURES: Final = tuple(EDGES)


class Bins:
    """The bins by which one model's features are counted; those of its profile, if it has one."""

    def __init__(self, labels: Sequence[str], edges: Mapping[str, Edges] = EDGES) -> None:
        self.labels = tuple(labels)
        self.edges = {name: tuple(edges[name]) for name in FEATURES if name in edges}

    @classmethod
    def of(cls, labels: Sequence[str], profile: Profile | None) -> Bins:
        """Those of the profile, else the present ones."""
        if profile is None:
            return cls(labels)
        return cls(labels, {name: one.edges for name, one in profile.features.items()})

    def size(self, feature: str) -> int:
        """Number of bins."""
        return len(self.labels) if feature == LABEL else len(self.edges[feature]) + 1
