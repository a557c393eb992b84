"""What an audit finds: suspected label errors, most suspicious first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from maskdet.judging.audit.disputes import KINDS, Kind
from maskdet.types import Box

CSV_COLUMNS: Final = (
    *("rank", "suspicion", "kind", "picture", "part", "label", "label_x1", "label_y1", "label_x2"),
    *("label_y2", "said", "said_x1", "said_y1", "said_x2", "said_y2", "score"),
)


@dataclass(frozen=True, slots=True)
class Suspect:
    """One label that may be wrong; boxes xyxy in pixels of the upright picture; `picture` is its name in
    the manifest.

    `label` and its box are None where a label is missing; `score` is the model's, `suspicion` 0..1.
    """

    kind: Kind
    suspicion: float
    picture: str
    part: str
    label: str | None
    label_box: Box | None
    said: str
    said_box: Box
    score: float
    row: int | None
    """Place of the label among the picture's objects, from 0."""

    def to_json(self) -> dict[str, Any]:
        return {
            "suspicion": round(self.suspicion, 4),
            "kind": self.kind,
            "picture": self.picture,
            "part": self.part,
            "label": self.label,
            "label_box": _rounded(self.label_box),
            "said": self.said,
            "said_box": _rounded(self.said_box),
            "score": round(self.score, 4),
        }


@dataclass(frozen=True, slots=True)
class AuditResult:
    """`disputed`: labels that the model contradicts, by kind; `suspects`: the most suspicious of them;
    `missing`: all that are missing.
    """

    model: str
    pictures: int
    labels: int
    disputed: dict[Kind, int]
    suspects: tuple[Suspect, ...]
    missing: tuple[Suspect, ...] = ()
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[Kind, int]:
        """Suspects by kind, zeros included."""
        found = Counter(suspect.kind for suspect in self.suspects)
        return {kind: found[kind] for kind in KINDS}

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "pictures": self.pictures,
            "labels": self.labels,
            "disputed": self.disputed,
            "notes": list(self.notes),
            "suspects": [suspect.to_json() for suspect in self.suspects],
        }

    def csv_rows(self) -> list[list[Any]]:
        """One row of CSV_COLUMNS for each suspect."""
        rows = []
        for rank, suspect in enumerate(self.suspects, start=1):
            told = suspect.to_json()
            sides = {name: told[name] or [""] * 4 for name in ("label_box", "said_box")}
            head = [rank, told["suspicion"], suspect.kind, suspect.picture, suspect.part]
            rows.append(
                [
                    *head,
                    suspect.label or "",
                    *sides["label_box"],
                    suspect.said,
                    *sides["said_box"],
                    told["score"],
                ]
            )
        return rows


def _rounded(box: Box | None) -> list[float] | None:
    return None if box is None else [round(edge, 1) for edge in box]
