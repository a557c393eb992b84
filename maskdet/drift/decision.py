"""Whether retraining is due: each rule with its value, limit, number of samples and verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final, Literal

from maskdet.drift.comparison import FeatureDrift
from maskdet.drift.psi import ALPHA
from maskdet.drift.reason import Reason
from maskdet.drift.settings import DriftSettings
from maskdet.drift.view import VerdictCounts, View

Ruling = Literal["ok", "due", "too few"]
_Z: Final = NormalDist().inv_cdf(1 - ALPHA)
ANNOTATIONS: Final = "Annotations"


@dataclass(frozen=True, slots=True)
class Rule:
    """value: None if there is none; count: samples behind it.

    `too few` means that the rule decides nothing.
    """

    name: str
    value: float | None
    limit: float
    count: int
    verdict: Ruling
    why: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of one model's version."""

    view: View
    rules: tuple[Rule, ...]

    def named(self, verdict: Ruling) -> list[str]:
        """The rules with this verdict."""
        return [rule.name for rule in self.rules if rule.verdict == verdict]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "model": self.view.model,
            "version": self.view.version,
            "since": self.view.since,
            "until": self.view.until,
            "due": bool(self.named("due")),
            "rules": [
                {
                    "name": rule.name,
                    "value": rule.value,
                    "limit": rule.limit,
                    "count": rule.count,
                    "verdict": rule.verdict,
                    "why": str(rule.why),
                }
                for rule in self.rules
            ],
        }


def decide(view: View, settings: DriftSettings, inbox: Path | None = None) -> Decision:
    """By all rules; inbox: the folder of reviewed pictures, counted if `drift.inbox_pictures` is set."""
    rules = [*_psi_rules(view, settings), _uncertain_rule(view, settings)]
    if settings.inbox_pictures is not None:
        rules.append(_inbox_rule(view, settings.inbox_pictures, inbox))
    return Decision(view, tuple(rules))


def _psi_rules(view: View, settings: DriftSettings) -> Iterator[Rule]:
    if not view.features:
        yield Rule("psi", None, settings.psi, 0, "too few", Reason("no_profile"))
    for feature in view.features:
        one = feature.against(settings.psi)
        verdict, why = _ruling(one)
        yield Rule(f"psi.{one.feature}", one.psi, settings.psi, one.samples, verdict, why)


def _ruling(one: FeatureDrift) -> tuple[Ruling, Reason]:
    if one.verdict == "stable":
        return "ok", Reason("as_on_val")
    if one.verdict == "drift":
        return "due", Reason("differs", {"chance": f"{one.chance or 0:.3f}"})
    if one.least is None:
        return "too few", Reason("val_too_small")
    return "too few", Reason("needs", {"least": str(one.least)})


def _uncertain_rule(view: View, settings: DriftSettings) -> Rule:
    """Two shares, by the normal approximation with the pooled share, at the same chance level as PSI."""
    limit, seen, name = settings.uncertain_rise, _total(view.own), "uncertain"
    val = 0 if view.val is None else _total(view.val)
    if view.val is None or not val or not seen:
        return Rule(name, None, limit, seen, "too few", Reason("no_picture" if val else "no_profile"))
    shares = view.own.uncertain / seen, view.val.uncertain / val
    rise = shares[0] - shares[1]
    # One picture of each kind more, so that a share of zero has a spread as well.
    pooled = (view.own.uncertain + view.val.uncertain + 1) / (seen + val + 2)
    chance = _Z * (pooled * (1 - pooled) * (1 / seen + 1 / val)) ** 0.5
    why = Reason("shares", {"seen": f"{shares[0]:.1%}", "val": f"{shares[1]:.1%}", "chance": f"{chance:.3f}"})
    if chance > limit:
        return Rule(name, rise, limit, seen, "too few", why)
    return Rule(name, rise, limit, seen, "due" if rise >= limit else "ok", why)


def _inbox_rule(view: View, limit: int, inbox: Path | None) -> Rule:
    since = next((one.since for one in view.versions if one.version == view.version), 0.0)
    count = new_labels(inbox, since) if inbox is not None else 0
    why = Reason("labelled_since" if inbox is not None else "no_inbox")
    return Rule("inbox_pictures", count, limit, count, "due" if count >= limit else "ok", why)


def new_labels(inbox: Path, since: float) -> int:
    """Annotations in the inbox written after `since`, seconds since the epoch; none if there is no inbox."""
    folder = inbox / ANNOTATIONS
    files = folder.glob("[!.]*.xml") if folder.is_dir() else ()
    return sum(1 for path in files if _written(path) > since)


def _written(path: Path) -> float:
    """Seconds since the epoch; 0 for an annotation that a reviewer has just taken back."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _total(counts: VerdictCounts) -> int:
    return counts.ok + counts.violation + counts.uncertain


def summary(decisions: Sequence[Decision]) -> list[str]:
    """One line for each model, and what remains undecided."""
    lines = []
    for one in decisions:
        due, open_ = one.named("due"), one.named("too few")
        said = f"retraining is due: {', '.join(due)}" if due else "no rule says that retraining is due"
        left = f"; too few samples to decide: {', '.join(open_)}" if open_ else ""
        lines.append(f"{one.view.model} {one.view.version}: {said}{left}")
    return lines
