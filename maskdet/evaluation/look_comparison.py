"""What a closer look gains and costs, compared with the plain one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maskdet.detector.tiling import Look
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.rounding import rounded
from maskdet.evaluation.tables import ABSENT, percent
from maskdet.wording.markdown import table

_FIGURES = {"ap50": "AP50", "ap50_95": "AP50:95", "ap50_any_class": "AP50, any class"}


@dataclass(frozen=True, slots=True, eq=False)
class LookResult:
    """A model evaluated with one look; milliseconds of one core per picture for detection."""

    look: Look
    evaluation: Evaluation
    milliseconds: float

    def to_json(self) -> dict[str, Any]:
        figures = {name: rounded(value) for name, value in self._figures().items()}
        return {**figures, "milliseconds": round(self.milliseconds, 2)}

    def row(self) -> list[str]:
        figures = [percent(value) for value in self._figures().values()]
        small = [each for each in self.evaluation.slices if each.name == "8-16"]
        recall = percent(small[0].recall) if small else ABSENT
        return [self.look.name, *figures, recall, f"{self.milliseconds:.0f}"]

    def _figures(self) -> dict[str, float]:
        overall = self.evaluation.overall()
        return {name: overall[name] for name in _FIGURES}


def looks_report(results: Sequence[LookResult]) -> str:
    """A table with one row per look; ends with one newline."""
    headings = ("look", *_FIGURES.values(), "recall of faces of 8-16 px", "ms per picture")
    return table(headings, [result.row() for result in results]) + "\n"
