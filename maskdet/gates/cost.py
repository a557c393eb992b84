"""The rules about the model file: parity with the trainer, time and size on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskdet.evaluation.ranking import Curve
from maskdet.gates.latency import p95, p95_ratio
from maskdet.gates.ruling import Bound, Measure, Ruling, Unit, Verdict, rule_on
from maskdet.gates.settings import GateSettings

_MEGA = 1e6
_NO_PROOF = "there is no parity.json beside the bundle"
_PROOF_OF_ANOTHER = "parity.json beside the bundle does not hold the bundle's sha256: it is of another file"


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """What each model costs, the challenger first, then the champion if there is one.

    bytes_: sizes of the files; milliseconds: [K] pictures each; none where no rule asks.
    """

    bytes_: Sequence[int]
    milliseconds: Sequence[Curve]
    settings: GateSettings

    def absolute(self) -> Iterator[Ruling]:
        """The limits of time and size."""
        limits = self.settings.limits
        if limits.p95_ms is not None:
            value, ends = p95(self.milliseconds[0])
            measure = Measure(value, ends, len(self.milliseconds[0]), "pictures")
            yield rule_on("limits.p95_ms", "p95 of one core per picture", measure, _most(limits.p95_ms, "ms"))
        if limits.size_mb is not None:
            measure = Measure(self.bytes_[0] / _MEGA, None, 1, "file")
            yield rule_on("limits.size_mb", "size", measure, _most(limits.size_mb, "MB"))

    def relative(self, absent: tuple[Verdict, str] | None) -> Iterator[Ruling]:
        """The comparisons of time and size; `absent`: verdict and reason where there is no champion."""
        rules = self.settings.not_worse
        for name, what, limit, measured in (
            ("p95_ratio", "p95 of one core per picture", rules.p95_ratio, self._ratio_of_times),
            ("size_ratio", "size", rules.size_ratio, self._ratio_of_sizes),
        ):
            if limit is None:
                continue
            key, rule = f"not_worse.{name}", f"{what}, challenger over champion,"
            if absent is None:
                yield rule_on(key, rule, measured(), _ratio(limit))
            else:
                verdict, why = absent
                missing = Measure(None, None, 0, "")
                yield Ruling(key, rule.rstrip(","), verdict, missing, _ratio(limit), why)

    def _ratio_of_times(self) -> Measure:
        challenger, champion = self.milliseconds
        value, ends = p95_ratio(challenger, champion)
        sides = (p95(challenger)[0], p95(champion)[0])
        return Measure(value, ends, len(champion), "pictures", "", *sides)

    def _ratio_of_sizes(self) -> Measure:
        challenger, champion = (size / _MEGA for size in self.bytes_)
        return Measure(challenger / champion, None, 2, "files", "", challenger, champion)


def parity_ruling(parity: Mapping[str, Any] | None, sha256: str) -> Ruling:
    """`parity` is what export wrote beside the bundle of that sha256, None if there is nothing."""
    rule = "export's proof of parity: scores and boxes of trainer and bundle within tolerance"
    if parity is None or parity.get("bundle_sha256") != sha256:
        lacks = _NO_PROOF if parity is None else _PROOF_OF_ANOTHER
        why = f"{lacks}; gates.parity: false leaves the rule out"
        return Ruling("parity", rule, "unmeasured", Measure(None, None, 0, "pictures"), why=why)
    score, allowed = float(parity["score_difference"]), float(parity["score_tolerance"])
    box, room = float(parity["box_difference"]), float(parity["box_tolerance"])
    measure, bound = Measure(score, None, int(parity["pictures"]), "pictures"), _most(allowed, "score")
    # Written this way round since NaN is within no tolerance.
    if score <= allowed and box <= room:
        return Ruling("parity", rule, "pass", measure, bound)
    why = f"scores differ by {score:.2g} (allowed {allowed:g}), boxes by {box:.2g} px (allowed {room:g})"
    return Ruling("parity", rule, "fail", measure, bound, why)


def _most(limit: float, unit: Unit) -> Bound:
    return Bound(limit, "value", at_least=False, unit=unit)


def _ratio(limit: float) -> Bound:
    # What the machine does beside varies the time of a pass, so a slower model is refused where the whole
    # interval says so.
    return Bound(limit, "lenient", at_least=False, unit="ratio")


def wants_time(settings: GateSettings, champion: bool) -> bool:
    """Whether a rule asks for the time of a picture."""
    return settings.limits.p95_ms is not None or (champion and settings.not_worse.p95_ratio is not None)
