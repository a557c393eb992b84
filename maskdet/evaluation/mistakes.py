"""The mistakes to review first, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, cycle
from typing import Any, Final, Literal

import numpy as np

from maskdet.evaluation.pool import NO_FACE, Pool
from maskdet.evaluation.safety import Parts, faces_of
from maskdet.evaluation.views import View
from maskdet.types import BoolArray, Box, FloatArray, IntArray, box_of

Kind = Literal["bare passed", "false alarm", "missed", "mixed up"]

MOST: Final = 24
_SHARES: Final[dict[Kind, int]] = {"bare passed": 12, "false alarm": 4, "missed": 4, "mixed up": 4}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong answer; boxes xyxy in pixels of the picture, `path` the name of the picture in the data set.

    `said`, its box and score are absent for a missed face; `truth` and its box for a false alarm.
    """

    kind: Kind
    path: str
    truth: str | None
    truth_box: Box | None
    said: str | None
    said_box: Box | None
    score: float | None

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Mistake:
        """What `to_json` wrote."""
        truth, said = (None if box is None else box_of(box) for box in (told["truth_box"], told["said_box"]))
        return cls(told["kind"], told["picture"], told["truth"], truth, told["said"], said, told["score"])

    def to_json(self) -> dict[str, Any]:
        score = None if self.score is None else round(self.score, 4)
        boxes = {
            name: None if box is None else [round(edge, 1) for edge in box]
            for name, box in (("truth_box", self.truth_box), ("said_box", self.said_box))
        }
        told = {"kind": self.kind, "picture": self.path, "truth": self.truth, "said": self.said}
        return {**told, "score": score, **boxes}


@dataclass(frozen=True, slots=True, eq=False)
class MistakeFinder:
    """The answer `said` [N] of a pool, and the faces' boxes [M, 4] and widths [M] at network scale."""

    pool: Pool
    said: BoolArray
    boxes: FloatArray
    widths: FloatArray
    views: Sequence[View]
    parts: Parts
    labels: Sequence[str]

    def worst(self, most: int = MOST) -> list[Mistake]:
        """Up to the limit: bare faces passed first, then a share of each other kind, filled up in order."""
        ranked = {kind: list(self._of_kind(kind)) for kind in _SHARES}
        counts = {kind: min(len(rows), _SHARES[kind]) for kind, rows in ranked.items()}
        for kind in cycle(ranked) if most < sum(map(len, ranked.values())) else ():
            if sum(counts.values()) >= most:
                break
            counts[kind] = min(counts[kind] + 1, len(ranked[kind]))
        else:
            counts = {kind: len(rows) for kind, rows in ranked.items()}
        return list(chain.from_iterable(rows[: counts[kind]] for kind, rows in ranked.items()))

    def _of_kind(self, kind: Kind) -> Iterator[Mistake]:
        if kind == "missed":
            yield from (self._missed(face) for face in self._missed_faces())
            return
        rows = self._rows(kind)
        for row in rows[np.argsort(-self.pool.found.scores[rows], kind="stable")]:
            yield self._wrong(kind, int(row))

    def _rows(self, kind: Kind) -> IntArray:
        pool = self.pool
        alarm = pool.nearest == NO_FACE
        if kind == "false alarm":
            return np.flatnonzero(self.said & alarm)
        face = np.where(alarm, 0, pool.nearest)
        other = (
            self.said & ~alarm & pool.face_counts[face] & (pool.face_classes[face] != pool.found.class_ids)
        )
        bare = faces_of(pool, self.parts.bare)[face] & np.isin(pool.found.class_ids, self.parts.masked)
        return np.flatnonzero(other & (bare if kind == "bare passed" else ~bare))

    def _missed_faces(self) -> Sequence[int]:
        pool = self.pool
        seen = np.zeros(len(pool.face_classes), np.bool_)
        touching = pool.touching[self.said[pool.touching[:, 0]]]
        seen[touching[:, 1]] = True
        missed = np.flatnonzero(pool.face_counts & ~seen)
        largest: list[int] = missed[np.argsort(-self.widths[missed], kind="stable")].tolist()
        return largest

    def _missed(self, face: int) -> Mistake:
        path = self.views[self.pool.face_pictures[face]].path
        return Mistake("missed", path, self._truth(face), box_of(self.boxes[face].tolist()), None, None, None)

    def _wrong(self, kind: Kind, row: int) -> Mistake:
        found, face = self.pool.found, int(self.pool.nearest[row])
        on_face = face != NO_FACE
        return Mistake(
            kind,
            self.views[self.pool.pictures[row]].path,
            self._truth(face) if on_face else None,
            box_of(self.boxes[face].tolist()) if on_face else None,
            self.labels[found.class_ids[row]],
            box_of(found.boxes[row].tolist()),
            float(found.scores[row]),
        )

    def _truth(self, face: int) -> str:
        return self.labels[int(self.pool.face_classes[face])]
