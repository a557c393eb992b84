"""A bundle as the statistics know it: which bins it counts in, and its reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from maskdet.detector.profile import Profile
from maskdet.drift.features import Bins
from maskdet.wording.names import PATTERN

NAME: Final = re.compile(r"[0-9a-f]{12}")
"""Version names: the first characters of the bundle's sha256."""
_REGISTERED: Final = re.compile(rf"(?:{PATTERN}@[0-9]{{1,9}})?")


@dataclass(frozen=True, slots=True)
class Version:
    """since: when it first answered, in seconds since the epoch; profile: None for a bundle without one;
    bins: those of all its tallies; registered: NAME@NUMBER in the registry, "" for a bundle from elsewhere.
    """

    version: str
    since: float
    profile: Profile | None
    bins: Bins
    registered: str = ""

    @classmethod
    def of(cls, version: str, since: float, labels: tuple[str, ...], profile: Profile | None) -> Version:
        """A version that begins to answer."""
        return cls(version, since, profile, Bins.of(labels, profile))

    def named(self, registered: str) -> Version:
        """The same by its name in the registry; "" leaves the name that it has."""
        return replace(self, registered=registered) if registered else self

    def to_json(self) -> dict[str, Any]:
        """For `read`."""
        return {
            "version": self.version,
            "registered": self.registered,
            "since": self.since,
            "labels": self.bins.labels,
            "edges": self.bins.edges,
            "profile": None if self.profile is None else self.profile.model_dump(mode="json"),
        }

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Version:
        """Raises ValueError, KeyError, TypeError or AttributeError for anything else."""
        profile = None if raw["profile"] is None else Profile.model_validate(raw["profile"])
        if not NAME.fullmatch(raw["version"]):
            raise ValueError(f"{raw['version']!r:.40} is not the name of a version")
        registered = raw.get("registered", "")
        if not _REGISTERED.fullmatch(registered):
            raise ValueError(f"{registered!r:.40} is not a version of a registry")
        labels = tuple(str(label) for label in raw["labels"])
        if profile is not None and not profile.fits(len(labels)):
            raise ValueError("the profile does not fit the labels")
        edges = {name: tuple(float(edge) for edge in edges) for name, edges in raw["edges"].items()}
        return cls(raw["version"], float(raw["since"]), profile, Bins(labels, edges), registered)
