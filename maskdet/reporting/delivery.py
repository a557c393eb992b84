"""How a CI job ended for the model that it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any, Final

from maskdet.dataset.manifest import Manifest, Part

PARTS: Final[tuple[Part, ...]] = ("train", "val")


class Fate(str, Enum):
    """What became of the challenger."""

    PROMOTED = "promoted"
    PASSED = "passed"
    """It may be promoted, but that was left to a person."""
    REFUSED = "refused"
    STEPPED_DOWN = "stepped down"
    """It was the champion, and someone moved the alias away from it: only a person moves it back."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The challenger `model` of that `version`; the `champion` it was compared with, None if it is the first.

    bundle: sha256; fingerprint: of what the decision depended on; reasons: of a refusal; unchanged: there was
    nothing to do, and this is how the last job ended.
    """

    fate: Fate
    model: str
    version: int
    champion: int | None
    bundle: str
    fingerprint: str
    reasons: tuple[str, ...] = ()
    unchanged: bool = False

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "fate": self.fate.value, "reasons": list(self.reasons)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Delivery:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        delivery = cls(**told)
        return replace(delivery, fate=Fate(told["fate"]), reasons=tuple(told["reasons"]))

    def headline(self) -> str:
        """One sentence."""
        name = f"version {self.version}"
        place = "there is no champion" if self.champion is None else f"version {self.champion} stays champion"
        if self.fate is Fate.PROMOTED:
            after = "the first" if self.champion is None else f"after version {self.champion}"
            return f"{name} is the champion, {after}"
        if self.fate is Fate.REFUSED:
            return f"{name} is refused by the gates; {place}"
        if self.fate is Fate.PASSED:
            return f"{name} passes the gates and waits for a person to promote it; {place}"
        return f"{name} was the champion before and is not promoted again; {place}"


@dataclass(frozen=True, slots=True)
class DataChange:
    """By part: pictures by name that the champion's data lacks, and how many of its pictures are gone."""

    added: Mapping[str, tuple[str, ...]]
    removed: Mapping[str, int]

    @classmethod
    def between(cls, before: Iterable[tuple[str, str]], manifest: Manifest) -> DataChange:
        """before: part and sha256 of each picture of the champion's data."""
        earlier = set(before)
        present = {(one.part, one.sha256) for one in manifest.pictures}
        added: dict[str, tuple[str, ...]] = {}
        for part in PARTS:
            fresh = (one for one in manifest.part(part) if (part, one.sha256) not in earlier)
            added[part] = tuple(one.picture for one in fresh)
        return cls(added, {part: sum(one[0] == part for one in earlier - present) for part in PARTS})
