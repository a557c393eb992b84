"""The figures of a model under each condition, relative to the clean pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from maskdet.evaluation.average_precision import integral_ap
from maskdet.evaluation.class_match import Meanings
from maskdet.evaluation.evaluator import checked_scenes
from maskdet.evaluation.pool import pool
from maskdet.evaluation.ranking import Scene, of_class, rank_voc
from maskdet.evaluation.rounding import rounded
from maskdet.evaluation.safety import Parts, Rate, called, faces_of, share
from maskdet.evaluation.tables import ABSENT, percent
from maskdet.judging.robustness.corruptions import CORRUPTIONS, Condition
from maskdet.types import FloatArray
from maskdet.wording.markdown import table

WORST: Final = 3
"""Conditions that are drawn."""


@dataclass(frozen=True, slots=True)
class Figures:
    """ap50: mean over the classes that model and val have; answered: faces that get their own label;
    bare_passed: bare faces that the answer calls masked, None if no label has the role bare, or none masked.
    """

    ap50: float
    answered: Rate
    bare_passed: Rate | None
    right: tuple[int, ...]
    """Answered faces by picture."""

    @classmethod
    def of(
        cls, scenes: Sequence[Scene], labels: Sequence[str], thresholds: FloatArray, meanings: Meanings
    ) -> Figures:
        """At thresholds [C]. Raises DatasetError if no face is left."""
        scenes = checked_scenes(scenes, labels)
        own = [n for n, label in enumerate(labels) if meanings.partners.get(label) is not None]
        rankings = [rank_voc(of_class(scenes, number)) for number in own]
        found, parts = pool(scenes, float(thresholds.min())), Parts.of(meanings.roles, labels)
        said = found.answers(thresholds)
        right, known = found.answered(said), faces_of(found, np.array(own))
        passed = share(called(found, said, parts.masked), faces_of(found, parts.bare))
        return cls(
            ap50=float(np.mean([integral_ap(each) for each in rankings if each.truths])),
            answered=share(right, known),
            bare_passed=passed if parts.decide_bare else None,
            right=tuple(np.bincount(found.face_pictures[right & known], minlength=len(scenes)).tolist()),
        )

    def to_json(self) -> dict[str, Any]:
        passed = {} if self.bare_passed is None else {"bare_passed": self.bare_passed.to_json()}
        return {"ap50": rounded(self.ap50), "answered": self.answered.to_json(), **passed}


@dataclass(frozen=True, slots=True)
class Robustness:
    """The figures of each condition, in their order."""

    pictures: int
    seed: int
    clean: Figures
    figures: tuple[tuple[Condition, Figures], ...]

    @property
    def relative(self) -> float:
        """Mean of AP50 over the conditions, as a share of AP50 on the clean pictures."""
        return self._relative([figures for _, figures in self.figures])

    @property
    def bare_passed(self) -> Rate | None:
        """Over all conditions. Without an interval: each face occurs once in every condition."""
        rates = [each.bare_passed for _, each in self.figures if each.bare_passed is not None]
        return (
            Rate(sum(rate.count for rate in rates), sum(rate.of for rate in rates), None) if rates else None
        )

    @property
    def worst(self) -> tuple[Condition, ...]:
        """The conditions with the lowest AP50, worst first."""
        ranked = sorted(self.figures, key=lambda pair: (pair[1].ap50, pair[0].number))
        return tuple(condition for condition, _ in ranked[:WORST])

    def losers(self, condition: Condition) -> list[int]:
        """Numbers of the pictures, that which loses most right answers to the condition first."""
        lost = np.array(self.clean.right) - np.array(dict(self.figures)[condition].right)
        ranked: list[int] = np.argsort(-lost, kind="stable").tolist()
        return ranked

    def to_json(self) -> dict[str, Any]:
        passed = {} if self.bare_passed is None else {"bare_passed": self.bare_passed.to_json()}
        corruptions: dict[str, dict[str, Any]] = {}
        for condition, figures in self.figures:
            rows = corruptions.setdefault(condition.corruption.name, {})
            rows[f"{condition.strength:g}"] = figures.to_json()
        return {
            "pictures": self.pictures,
            "seed": self.seed,
            "relative_ap50": rounded(self.relative),
            **passed,
            "clean": self.clean.to_json(),
            "corruptions": corruptions,
            "worst": [condition.text for condition in self.worst],
        }

    def headline(self) -> str:
        """The key figures in a few words."""
        passed = self.bare_passed
        bare = "" if passed is None else f"; bare faces passed: {passed.count} of {passed.of}"
        return (
            f"AP50 under {len(self.figures)} corruptions is {percent(self.relative)} of that on clean "
            f"pictures ({percent(self.clean.ap50)}){bare}"
        )

    def report(self) -> str:
        """A paragraph and a table, with one row a corruption; ends with one newline."""
        rows = [["none", *_cells([self.clean] * 3)[:1], "", "", "100.0%", *_passed([self.clean])]]
        rows += [self._row(name, own) for name, own in self._by_corruption()]
        headings = ("corruption", "AP50, weak", "medium", "strong", "relative", "bare passed, weak to strong")
        return (
            f"## Robustness\n\n{self.headline()}.\nPictures: {self.pictures}, seed: {self.seed}.\n\n"
            f"{table(headings, rows)}\n\n[The worst {WORST} conditions](robustness.png).\n"
        )

    def _row(self, name: str, own: Sequence[tuple[Condition, Figures]]) -> list[str]:
        strengths = ", ".join(each.corruption.unit.format(each.strength) for each, _ in own)
        figures = [each for _, each in own]
        return [f"{name}: {strengths}", *_cells(figures), percent(self._relative(figures)), *_passed(figures)]

    def _by_corruption(self) -> Iterator[tuple[str, list[tuple[Condition, Figures]]]]:
        for corruption in CORRUPTIONS:
            yield corruption.name, [pair for pair in self.figures if pair[0].corruption is corruption]

    def _relative(self, figures: Sequence[Figures]) -> float:
        return float(np.mean([each.ap50 for each in figures])) / self.clean.ap50 if self.clean.ap50 else 0.0


def _cells(figures: Sequence[Figures]) -> list[str]:
    return [percent(each.ap50) for each in figures]


def _passed(figures: Sequence[Figures]) -> list[str]:
    rates = [each.bare_passed for each in figures]
    return [", ".join(ABSENT if rate is None else f"{rate.count} of {rate.of}" for rate in rates)]
