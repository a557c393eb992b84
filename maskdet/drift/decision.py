"""Whether retraining is due: each rule with its value, limit, number of samples and verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final, Literal

from maskdet.drift.psi import ALPHA
from maskdet.drift.settings import DriftSettings
from maskdet.drift.view import VerdictCounts, View

Ruling = Literal["ok", "due", "too few"]
_Z: Final = NormalDist().inv_cdf(1 - ALPHA)
ANNOTATIONS: Final = "Annotations"


@dataclass(frozen=True, slots=True)
class Rule:
    """value: None if there is none; count: samples behind it; why: the reason in words.

    `too few` means that the rule decides nothing.
    """

    name: str
    value: float | None
    limit: float
    count: int
    verdict: Ruling
    why: str


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
                    "why": rule.why,
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
        why = "the bundle has no profile to compare with: export it again"
        yield Rule("psi", None, settings.psi, 0, "too few", why)
    for feature in view.features:
        one = feature.against(settings.psi)
        needs = "val itself has too few" if one.least is None else f"it needs {one.least}"
        verdicts: dict[str, tuple[Ruling, str]] = {
            "stable": ("ok", "as on val"),
            "drift": ("due", f"what is seen differs from val; chance explains {one.chance or 0:.3f}"),
            "too few": ("too few", f"chance could explain the limit; {needs}"),
        }
        verdict, why = verdicts[one.verdict]
        yield Rule(f"psi.{one.feature}", one.psi, settings.psi, one.samples, verdict, why)


def _uncertain_rule(view: View, settings: DriftSettings) -> Rule:
    """Two shares, by the normal approximation with the pooled share, at the same chance level as PSI."""
    limit, seen, name = settings.uncertain_rise, _total(view.own), "uncertain"
    val = 0 if view.val is None else _total(view.val)
    if view.val is None or not val or not seen:
        why = "no picture yet" if val else "the bundle has no profile to compare with: export it again"
        return Rule(name, None, limit, seen, "too few", why)
    rise = view.own.uncertain / seen - view.val.uncertain / val
    # One picture of each kind more, so that a share of zero has a spread as well.
    pooled = (view.own.uncertain + view.val.uncertain + 1) / (seen + val + 2)
    chance = _Z * (pooled * (1 - pooled) * (1 / seen + 1 / val)) ** 0.5
    why = (
        f"{view.own.uncertain / seen:.1%} of the pictures, {view.val.uncertain / val:.1%} on val; "
        f"chance explains {chance:.3f}"
    )
    if chance > limit:
        return Rule(name, rise, limit, seen, "too few", why)
    return Rule(name, rise, limit, seen, "due" if rise >= limit else "ok", why)


def _inbox_rule(view: View, limit: int, inbox: Path | None) -> Rule:
    since = next((one.since for one in view.versions if one.version == view.version), 0.0)
    count = new_labels(inbox, since) if inbox is not None else 0
    why = "labelled since this version began to answer" if inbox is not None else "no inbox is named"
    return Rule("inbox_pictures", count, limit, count, "due" if count >= limit else "ok", why)


def new_labels(inbox: Path, since: float) -> int:
    """Annotations in the inbox written after `since`, seconds since the epoch; none if there is no inbox."""
    folder = inbox / ANNOTATIONS
    files = folder.glob("[!.]*.xml") if folder.is_dir() else ()
    return sum(1 for path in files if path.stat().st_mtime > since)


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
