"""Counts of sightings of one model: they can be added up, written and read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final, get_args

from maskdet.detector.profile import LABEL
from maskdet.detector.verdict import Decision
from maskdet.drift.features import Bins
from maskdet.drift.sighting import Sighting

OUTCOMES: Final[tuple[Decision, ...]] = get_args(Decision)


class Tally:
    """verdicts and overridden: pictures by verdict, at the model's own thresholds and at a client's;
    counts: by feature, one number for each bin.
    """

    __slots__ = ("bins", "counts", "overridden", "verdicts")

    def __init__(self, bins: Bins) -> None:
        self.bins = bins
        self.verdicts: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
        self.overridden: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
        self.counts = {name: [0] * bins.size(name) for name in bins.edges}

    @property
    def pictures(self) -> int:
        """All of them."""
        return sum(self.verdicts.values()) + sum(self.overridden.values())

    def outcome(self, name: str) -> int:
        """Pictures with this verdict, whoever chose the thresholds."""
        return self.verdicts[name] + self.overridden[name]

    def add(self, seen: Sighting) -> None:
        """Count one picture."""
        (self.verdicts if seen.own else self.overridden)[seen.outcome] += 1
        for name, values in seen.values.items():
            counts = self.counts.get(name)
            if counts is None:
                continue
            if name == LABEL:
                for value in values:
                    counts[int(value)] += 1
            else:
                edges = self.bins.edges[name]
                for value in values:
                    counts[bisect_right(edges, value)] += 1

    def merge(self, other: Tally) -> None:
        """Add another's counts; both have the same bins."""
        for mine, theirs in ((self.verdicts, other.verdicts), (self.overridden, other.overridden)):
            for outcome, count in theirs.items():
                mine[outcome] += count
        for name, counts in self.counts.items():
            self.counts[name] = [a + b for a, b in zip(counts, other.counts[name], strict=True)]

    def copy(self) -> Tally:
        """An equal one that nobody else changes."""
        made = Tally(self.bins)
        made.merge(self)
        return made

    def to_json(self) -> dict[str, Any]:
        """For `read`."""
        return {"verdicts": self.verdicts, "overridden": self.overridden, "counts": self.counts}

    @classmethod
    def read(cls, raw: Mapping[str, Any], bins: Bins) -> Tally:
        """Raises ValueError, KeyError, TypeError or AttributeError if it is no tally with these bins."""
        made = cls(bins)
        for mine, theirs in ((made.verdicts, raw["verdicts"]), (made.overridden, raw["overridden"])):
            mine.update({outcome: _count(theirs[outcome]) for outcome in OUTCOMES})
        for name, counts in made.counts.items():
            read = [_count(count) for count in raw["counts"][name]]
            if len(read) != len(counts):
                raise ValueError(f"{name} has {len(read)} bins, not {len(counts)}")
            made.counts[name] = read
        return made


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:40]!r} is not a count")
    return value
