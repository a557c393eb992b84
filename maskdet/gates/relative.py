"""The rules that compare the challenger with the champion, by paired bootstrap over pictures.

Both models are resampled together: what a resample draws twice counts twice for both. A hard picture is hard
for both, so the difference varies far less than either figure.
B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.evaluation.intervals import Interval, Weights, mean_over_classes, percentiles, resampled_share
from maskdet.evaluation.ranking import Curve
from maskdet.gates.absolute import NO_ROLES
from maskdet.gates.needs import Needs
from maskdet.gates.ruling import Bound, Measure, Ruling, Unit, Verdict, rule_on
from maskdet.gates.settings import GateSettings, Margin
from maskdet.gates.side import Side
from maskdet.types import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One comparison: its key below gates.not_worse, and how the difference is measured between two sides."""

    name: str
    what: str
    margin: Margin
    measure: Callable[[Pair], Measure]
    higher: bool = True
    """Whether a higher figure is better."""
    unit: Unit = "points"

    def ruling(self, pair: Pair) -> Ruling:
        measure = self.measure(pair)
        allowed = self.margin.allowed(measure.champion or 0.0)
        bound = Bound(-allowed if self.higher else allowed, self.margin.judge, self.higher, self.unit)
        return rule_on(self._key, f"{self.what}, challenger minus champion,", measure, bound)

    def without(self, verdict: Verdict, why: str) -> Ruling:
        """The ruling where there is nothing to compare with."""
        rule = f"{self.what}, challenger minus champion"
        return Ruling(self._key, rule, verdict, Measure(None, None, 0, ""), why=why)

    @property
    def _key(self) -> str:
        return f"not_worse.{self.name}"


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both models on the same pictures, and the resamples [R, P] of these."""

    challenger: Side
    champion: Side
    weights: Weights
    needs: Needs

    @property
    def both(self) -> tuple[Side, Side]:
        return self.challenger, self.champion

    @property
    def ruler(self) -> tuple[int, int]:
        """Faces are as wide as the champion's network sees them: a challenger cannot shrink its task."""
        return self.champion.bundle.meta.input_size

    def mean_ap(
        self, curves: Callable[[Side], Sequence[Curve]], value: Callable[[Side, int], float | None]
    ) -> Measure:
        """The difference of a mean over the classes that both models have and val has faces of."""
        labels = list(self.champion.judged.partners)
        shared = [
            number
            for number, label in enumerate(labels)
            if all(label in side.classes and value(side, number) is not None for side in self.both)
        ]
        if not shared:
            return Measure(
                None, None, 0, "pictures", "the models have no class in common that val has faces of"
            )
        means = [float(np.mean([value(side, number) for number in shared])) for side in self.both]
        drawn = [mean_over_classes([curves(side)[number] for number in shared]) for side in self.both]
        return _difference(means, drawn, self.needs.pictures, "pictures", self.needs.lacking())

    def class_ap50(self, label: str) -> Measure:
        """The difference of a class's AP50."""
        number = list(self.champion.judged.partners).index(label)
        values = [side.judged.classes[number].ap50 for side in self.both]
        return self._of_class(label, values, [side.ap50[number] for side in self.both])

    def class_recall(self, label: str) -> Measure:
        """The difference of a class's recall, each model at its own thresholds."""
        faces = [side.of_label(label) for side in self.both]
        hits = [side.right & marks for side, marks in zip(self.both, faces, strict=True)]
        values = [_share(hit, face) for hit, face in zip(hits, faces, strict=True)]
        return self._of_class(label, values, self._drawn(hits, faces))

    def slice_recall(self, key: str) -> Measure:
        """The difference of the recall in a slice, of the classes that both models have."""
        faces = np.logical_and(*(side.in_slice(key, self.ruler) for side in self.both))
        hits = [side.right & faces for side in self.both]
        count, of = int(faces.sum()), f"faces in {key}"
        values = [_share(hit, faces) for hit in hits]
        drawn = self._drawn(hits, [faces] * len(hits))
        return _difference(values, drawn, count, of, self.needs.lacking_class(count, of))

    def bare_passed(self) -> Measure:
        """The difference of the share of bare faces passed as masked."""
        bare = [side.bare for side in self.both]
        passed = [side.passed for side in self.both]
        count = int(bare[0].sum())
        decided = all(side.parts.decide_bare for side in self.both)
        lacks = self.needs.lacking_bare(count) if decided else NO_ROLES
        values = [_share(hit, face) for hit, face in zip(passed, bare, strict=True)]
        return _difference(values, self._drawn(passed, bare), count, "bare faces", lacks)

    def false_alarms(self) -> Measure:
        """The difference of the false alarms per 1000 faces."""
        faces = [side.faces(side.pool.face_counts) for side in self.both]
        alarms = [side.alarms() for side in self.both]
        values = [1000 * float(a.sum()) / float(f.sum()) for a, f in zip(alarms, faces, strict=True)]
        drawn = [1000 * self._share_of(*counts) for counts in zip(alarms, faces, strict=True)]
        return _difference(values, drawn, self.needs.faces, "faces", self.needs.lacking())

    def _of_class(self, label: str, values: Sequence[float | None], drawn: Sequence[Curve]) -> Measure:
        faces, of = int(self.champion.of_label(label).sum()), f"faces of {label}"
        lacks = "" if label in self.challenger.classes else f"the challenger has no class {label}"
        return _difference(values, drawn, faces, of, lacks or self.needs.lacking_class(faces, of))

    def _drawn(self, hits: Sequence[BoolArray], faces: Sequence[BoolArray]) -> list[Curve]:
        return [
            self._share_of(side.faces(hit), side.faces(face))
            for side, hit, face in zip(self.both, hits, faces, strict=True)
        ]

    def _share_of(self, counts: IntArray, wholes: IntArray) -> Curve:
        return resampled_share(counts, wholes, self.weights)


def comparisons(settings: GateSettings, champion: Side) -> Iterator[Comparison]:
    """Those that are not off, for the classes that the champion has; where there is none, for the
    challenger's. Raises UsageError for an unknown slice.
    """
    labels = champion.classes
    for key in settings.slices:
        champion.bin_of(key, "gates.slices")
    rules = settings.not_worse
    listed = [
        Comparison("ap50", "AP50", rules.ap50, lambda pair: pair.mean_ap(_ap50, _ap50_of)),
        Comparison("ap50_95", "AP50:95", rules.ap50_95, lambda pair: pair.mean_ap(_ap50_95, _ap50_95_of)),
        *(_of_class("ap50", "AP50", rules.class_ap50, Pair.class_ap50, label) for label in labels),
        *(_of_class("recall", "recall", rules.class_recall, Pair.class_recall, label) for label in labels),
        *(_of_slice(rules.slice_recall, key) for key in settings.slices),
        Comparison("bare_passed", "bare faces passed as masked", rules.bare_passed, Pair.bare_passed, False),
        Comparison(
            "false_alarms", "false alarms", rules.false_alarms, Pair.false_alarms, False, "difference"
        ),
    ]
    yield from (each for each in listed if each.margin.judge != "off")


def paired_interval(challenger: Curve, champion: Curve) -> Interval | None:
    """The middle 95 % of the difference [R] of two figures over the same resamples."""
    return percentiles(challenger - champion)


def _of_class(
    key: str, what: str, margin: Margin, measure: Callable[[Pair, str], Measure], label: str
) -> Comparison:
    return Comparison(f"class_{key}.{label}", f"{what} of {label}", margin, lambda pair: measure(pair, label))


def _of_slice(margin: Margin, key: str) -> Comparison:
    return Comparison(f"slice_recall.{key}", f"recall in {key}", margin, lambda pair: pair.slice_recall(key))


def _difference(
    values: Sequence[float | None], drawn: Sequence[Curve], count: int, of: str, missing: str
) -> Measure:
    challenger, champion = values
    if challenger is None or champion is None:
        return Measure(None, None, count, of, missing or "it is not defined on this val part")
    ends = paired_interval(*drawn)
    return Measure(challenger - champion, ends, count, of, missing, challenger, champion)


def _share(hits: BoolArray, faces: BoolArray) -> float | None:
    return float(hits.sum() / faces.sum()) if faces.any() else None


def _ap50(side: Side) -> Sequence[Curve]:
    return side.ap50


def _ap50_95(side: Side) -> Sequence[Curve]:
    return side.ap50_95


def _ap50_of(side: Side, number: int) -> float | None:
    return side.judged.classes[number].ap50


def _ap50_95_of(side: Side, number: int) -> float | None:
    return side.judged.classes[number].ap50_95
