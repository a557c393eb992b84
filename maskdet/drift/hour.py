"""One hour of service: tallies by model version and camera, requests, and which versions began to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, NamedTuple

from maskdet.drift.features import Bins
from maskdet.drift.sighting import Sighting
from maskdet.drift.tally import Tally

SECONDS: Final = 3600
OTHER: Final = "other"
MOST_CAMERAS: Final = 100
"""Camera tags counted separately in an hour. Clients choose them, so the rest is `other`."""
MOST_VERSIONS: Final = 20
"""Versions counted in an hour; pictures of further ones count as requests only."""
MOST_STARTS: Final = 100
"""Starts kept of an hour, the latest ones."""
CAMERA: Final = re.compile(r"[A-Za-z0-9_.:-]{0,64}")
"""A client's tag of its camera; "" if it named none."""
CAMERA_RULE: Final = "up to 64 letters, digits and the characters _ . : - of ASCII"
_NAME: Final = "%Y%m%dT%H"


class Start(NamedTuple):
    """A version began to answer: at the start of the server, or by a swap. at: seconds since the epoch."""

    at: float
    model: str
    version: str


class Key(NamedTuple):
    """model: the name that it is served under; version: first characters of the bundle's sha256;
    camera: "" if the client named none.
    """

    model: str
    version: str
    camera: str


@dataclass(slots=True)
class Hour:
    """requests: those that had pictures; faults: pictures without an answer."""

    tallies: dict[Key, Tally] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    requests: int = 0
    faults: int = 0

    def count(self, key: Key, seen: Sighting, bins: Bins) -> None:
        """Count one picture."""
        tally = self._tally(key, bins)
        if tally is not None:
            tally.add(seen)

    def start(self, start: Start) -> None:
        """Note that a version began to answer."""
        self.starts = [*self.starts, start][-MOST_STARTS:]

    def merge(self, other: Hour) -> None:
        """Add another's counts; where both have a version, it has the same bins."""
        for key, tally in other.tallies.items():
            mine = self._tally(key, tally.bins)
            if mine is not None:
                mine.merge(tally)
        for start in other.starts:
            self.start(start)
        self.starts.sort()
        self.requests += other.requests
        self.faults += other.faults

    def _tally(self, key: Key, bins: Bins) -> Tally | None:
        if key not in self.tallies:
            answering = {(one.model, one.version) for one in self.tallies}
            if (key.model, key.version) not in answering and len(answering) >= MOST_VERSIONS:
                return None
            cameras = {one.camera for one in self.tallies}
            if key.camera not in cameras and len(cameras) >= MOST_CAMERAS:
                key = key._replace(camera=OTHER)
            self.tallies.setdefault(key, Tally(bins))
        return self.tallies[key]

    def to_json(self) -> dict[str, Any]:
        """For `read_hour`."""
        return {
            "tallies": [{**key._asdict(), **tally.to_json()} for key, tally in self.tallies.items()],
            "starts": [start._asdict() for start in self.starts],
            "requests": self.requests,
            "faults": self.faults,
        }


def read_hour(raw: Mapping[str, Any], bins: Mapping[str, Bins]) -> Hour:
    """bins: by version; tallies of others are left out. Raises like `Tally.read`."""
    hour = Hour(requests=int(raw["requests"]), faults=int(raw["faults"]))
    for one in raw["tallies"]:
        if one["version"] in bins and CAMERA.fullmatch(one["camera"]):
            tally = Tally.read(one, bins[one["version"]])
            hour.tallies[Key(str(one["model"]), one["version"], one["camera"])] = tally
    hour.starts = [Start(float(one["at"]), str(one["model"]), str(one["version"])) for one in raw["starts"]]
    return hour


def hour_of(seconds: float) -> int:
    """The number of the hour, since the epoch."""
    return int(seconds // SECONDS)


def hour_name(hour: int) -> str:
    """Such as 20260131T07, in UTC."""
    return datetime.fromtimestamp(hour * SECONDS, timezone.utc).strftime(_NAME)


def hour_number(name: str) -> int | None:
    """The hour of a name; None for other names."""
    try:
        found = datetime.strptime(name, _NAME).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return hour_of(found.timestamp()) if hour_name(hour_of(found.timestamp())) == name else None
