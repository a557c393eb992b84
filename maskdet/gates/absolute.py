"""The rules about the challenger by itself: floors and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from maskdet.evaluation.intervals import (
    Interval,
    Weights,
    mean_over_classes,
    percentiles,
    resampled_rate,
    wilson,
)
from maskdet.evaluation.ranking import Curve
from maskdet.evaluation.slices import Slice
from maskdet.gates.needs import Needs
from maskdet.gates.ruling import Bound, Measure, Ruling, rule_on
from maskdet.gates.settings import Floors, GateSettings
from maskdet.gates.side import AXES, Side


@dataclass(frozen=True, slots=True, eq=False)
class Absolute:
    """The challenger, and the resamples of val [R, P] that intervals are from."""

    side: Side
    needs: Needs
    weights: Weights
    settings: GateSettings

    def rulings(self) -> Iterator[Ruling]:
        """In the order of the settings. Raises UsageError for an unknown label or slice in them."""
        if self.settings.floors.judge != "off":
            yield from self._overall(self.settings.floors)
            yield from self._by_class(self.settings.floors)
            yield from self._by_slice(self.settings.floors)
        yield from self._bare()
        yield from self._alarms()

    def _overall(self, floors: Floors) -> Iterator[Ruling]:
        judged = self.side.judged
        for name, what, value, curves, limit in (
            ("ap50", "AP50", judged.ap50, self.side.ap50, floors.ap50),
            ("ap50_95", "AP50:95", judged.ap50_95, self.side.ap50_95, floors.ap50_95),
        ):
            interval = percentiles(mean_over_classes(self._known(curves)))
            measure = Measure(value, interval, self.needs.pictures, "pictures", self.needs.lacking())
            yield rule_on(f"floors.{name}", what, measure, self._floor(limit))

    def _by_class(self, floors: Floors) -> Iterator[Ruling]:
        labels = list(self.side.judged.partners)
        floors.check_labels(labels)
        for label, limit in floors.class_ap50.items():
            number = labels.index(label)
            yield self._floor_of(
                f"class_ap50.{label}", f"AP50 of {label}", label, self.side.judged.classes[number].ap50,
                percentiles(self.side.ap50[number]), limit,
            )  # fmt: skip
        for label, limit in floors.class_recall.items():
            one = self.side.judged.classes[labels.index(label)]
            ends = wilson(one.true_positives, one.truths)
            yield self._floor_of(
                f"class_recall.{label}", f"recall of {label}", label, one.recall, ends, limit
            )

    def _floor_of(
        self, key: str, what: str, label: str, value: float | None, interval: Interval | None, limit: float
    ) -> Ruling:
        faces = int(self.side.of_label(label).sum())
        of = f"faces of {label}"
        lacks = "" if label in self.side.classes else f"the challenger has no class {label}"
        measure = Measure(value, interval, faces, of, lacks or self.needs.lacking_class(faces, of))
        return rule_on(f"floors.{key}", what, measure, self._floor(limit))

    def _by_slice(self, floors: Floors) -> Iterator[Ruling]:
        for key in (*floors.slice_ap50, *floors.slice_recall):
            self.side.bin_of(key, "gates.floors")
        if not (floors.slice_ap50 or floors.slice_recall):
            return
        cut = {f"{one.axis}.{one.name}": one for one in self._slices()}
        for key, limit in floors.slice_ap50.items():
            yield self._slice_floor("slice_ap50", key, "AP50", cut[key], _mean_ap50(cut[key]), None, limit)
        for key, limit in floors.slice_recall.items():
            one = cut[key]
            ends = wilson(sum(each.found for each in one.classes.values()), one.faces)
            yield self._slice_floor("slice_recall", key, "recall", one, one.recall, ends, limit)

    def _slices(self) -> list[Slice]:
        return self.side.slicer(self.side.bundle.meta.input_size).cut(AXES)

    def _slice_floor(
        self,
        kind: str,
        key: str,
        what: str,
        one: Slice,
        value: float | None,
        ends: Interval | None,
        limit: float,
    ) -> Ruling:
        of = f"faces in {key}"
        measure = Measure(value, ends, one.faces, of, self.needs.lacking_class(one.faces, of))
        return rule_on(f"floors.{kind}.{key}", f"{what} in {key}", measure, self._floor(limit))

    def _bare(self) -> Iterator[Ruling]:
        limits = self.settings.limits
        if limits.bare_passed_judge == "off":
            return
        count, of = int(self.side.passed.sum()), int(self.side.bare.sum())
        lacks = self.needs.lacking_bare(of) if self.side.parts.decide_bare else NO_ROLES
        measure = Measure(count / of if of else None, wilson(count, of), of, "bare faces", lacks)
        bound = Bound(limits.bare_passed, limits.bare_passed_judge, at_least=False)
        yield rule_on("limits.bare_passed", "bare faces passed as masked", measure, bound)

    def _alarms(self) -> Iterator[Ruling]:
        limit = self.settings.limits.false_alarms
        if limit is None:
            return
        alarms, faces = self.side.alarms(), self.side.faces(self.side.pool.face_counts)
        ends = resampled_rate(alarms, faces, self.weights, scale=1000)
        value = 1000 * float(alarms.sum()) / float(faces.sum())
        measure = Measure(value, ends, self.needs.faces, "faces", self.needs.lacking())
        bound = Bound(limit, "value", at_least=False, unit="per 1000")
        yield rule_on("limits.false_alarms", "false alarms", measure, bound)

    def _floor(self, limit: float) -> Bound:
        return Bound(limit, self.settings.floors.judge)

    def _known(self, curves: tuple[Curve, ...]) -> list[Curve]:
        return [
            curve if each.known else np.full_like(curve, np.nan)
            for curve, each in zip(curves, self.side.judged.classes, strict=False)
        ]


NO_ROLES = "no label has the role masked, or none bare: set data.roles, or the rule's judge to off"


def _mean_ap50(one: Slice) -> float | None:
    """Over the classes with enough faces for an AP in the slice."""
    known = [each.ap50 for each in one.classes.values() if each.ap50 is not None]
    return sum(known) / len(known) if known else None
