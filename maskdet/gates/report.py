"""The result of the gates as data: every ruling, what was left out, and the pictures that decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from maskdet.errors import GateRefusal
from maskdet.gates.deciding import Deciding
from maskdet.gates.lineage import LeftOut
from maskdet.gates.ruling import Ruling


@dataclass(frozen=True, slots=True)
class Contestant:
    """A model as it was named, its file's sha256 and size in bytes, and its figures on the compared pictures:
    ap50, ap50_95, ap50_any_class, and those by class such as recall.LABEL.
    """

    name: str
    sha256: str
    size: int
    lineage_known: bool
    """Whether it is known which pictures it was trained on."""
    figures: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sha256": self.sha256,
            "size": self.size,
            "lineage_known": self.lineage_known,
            "figures": self.figures,
        }


@dataclass(frozen=True, slots=True)
class GateReport:
    """The challenger passes if no rule refuses it. `pictures` and `faces` are what was compared on; `notes`
    say in words what the comparison leaves out; regressions and gains are the pictures that decide.
    """

    challenger: Contestant
    champion: Contestant | None
    rulings: tuple[Ruling, ...]
    pictures: int
    faces: int
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    regressions: tuple[Deciding, ...] = ()
    gains: tuple[Deciding, ...] = ()
    manifest_sha256: str = ""

    @property
    def refusals(self) -> tuple[Ruling, ...]:
        return tuple(ruling for ruling in self.rulings if ruling.refuses)

    @property
    def passed(self) -> bool:
        return not self.refusals

    def require(self) -> None:
        """Raise GateRefusal with the name of every gate that refused, and by how much."""
        if self.passed:
            return
        refused = f"{len(self.refusals)} of {len(self.rulings)} gates"
        lines = "\n".join(f"  {line}" for line in self.reasons())
        raise GateRefusal(
            f"{self.challenger.name} is refused by {refused}\n{lines}",
            "`maskdet gates --explain DIR` draws the pictures that decide",
        )

    def reasons(self) -> list[str]:
        """A line for each gate that failed, and one for all not measured for the same reason."""
        failed = [f"{each.name}: {each.why}" for each in self.refusals if each.verdict == "fail"]
        unmeasured = [each for each in self.refusals if each.verdict == "unmeasured"]
        together = Counter(each.why for each in unmeasured)
        for why in together:
            names = ", ".join(each.name for each in unmeasured if each.why == why)
            failed.append(f"not measured, {why}: {names}")
        return failed

    def to_json(self) -> dict[str, Any]:
        """In plain JSON types; undefined figures are null."""
        return {
            "passed": self.passed,
            "challenger": self.challenger.to_json(),
            "champion": self.champion.to_json() if self.champion else None,
            "pictures": self.pictures,
            "faces": self.faces,
            "manifest_sha256": self.manifest_sha256,
            "rules": [ruling.to_json() for ruling in self.rulings],
            "left_out": [each.to_json() for each in self.left_out],
            "notes": list(self.notes),
            "deciding": {
                "regressions": [each.to_json() for each in self.regressions],
                "gains": [each.to_json() for each in self.gains],
            },
        }
