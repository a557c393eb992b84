"""The profile in a bundle: histograms of the model's own answers on val, the reference for what a server
sees.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Final

from pydantic import Field, model_validator
from typing_extensions import Self

from maskdet.settings import Section

MOST_BINS: Final = 128
LABEL: Final = "label"
"""The feature whose bins are the bundle's labels."""
Count = Annotated[int, Field(ge=0)]


class Histogram(Section):
    """Counts by bin: below the first edge, from each edge to the next, and from the last edge on.

    Only that of the labels has no edges: one bin for each of the bundle's labels.
    """

    edges: tuple[float, ...] = Field((), max_length=MOST_BINS - 1)
    counts: tuple[Count, ...] = Field(max_length=MOST_BINS)
    design_effect: float = Field(1, ge=1)
    """How many times larger the variance of the shares is than for as many independent samples: the faces of
    one picture resemble each other."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.edges and len(self.counts) != len(self.edges) + 1:
            raise ValueError(
                f"{len(self.edges)} edges make {len(self.edges) + 1} bins, not {len(self.counts)}"
            )
        if any(one >= other for one, other in pairwise(self.edges)):
            raise ValueError("the edges do not rise")
        return self


class Profile(Section):
    """The model's own answers on val, at its own thresholds, each face once."""

    pictures: Count
    """Pictures of val."""
    verdicts: dict[str, Count]
    """Pictures by verdict, by the roles of the labels and the default band of uncertainty."""
    features: dict[str, Histogram] = Field(max_length=16)
    """By the name of the feature; see maskdet/drift/features.py."""

    @model_validator(mode="after")
    def _has_edges(self) -> Self:
        for name, histogram in self.features.items():
            if bool(histogram.edges) == (name == LABEL):
                raise ValueError(f"{name}: only the histogram of {LABEL} has no edges")
        return self

    def fits(self, labels: int) -> bool:
        """Whether it is that of a model with so many labels."""
        return LABEL not in self.features or len(self.features[LABEL].counts) == labels
