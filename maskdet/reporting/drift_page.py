"""The page of `maskdet drift`: each model's rules, features, cameras, versions and days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from maskdet.drift.decision import Decision
from maskdet.reporting.markup import Markup, element, joined
from maskdet.reporting.page import document
from maskdet.reporting.sections.drift_features import features
from maskdet.reporting.sections.drift_rules import rules
from maskdet.reporting.sections.drift_tables import cameras, days, versions
from maskdet.reporting.texts import say

_SECTIONS: Final[Sequence[tuple[str, Callable[[Decision], Markup]]]] = (
    ("retraining", rules),
    ("drift_features", features),
    ("cameras", cameras),
    ("versions", versions),
    ("days", days),
)


def drift_page(decisions: Sequence[Decision]) -> str:
    """The decisions as a self-contained HTML page."""
    title = " / ".join(f"{each.view.model} {each.view.version}" for each in decisions)
    return document(title, [(key, _of_each(decisions, section)) for key, section in _SECTIONS])


def _of_each(decisions: Sequence[Decision], section: Callable[[Decision], Markup]) -> Markup:
    """One model needs no heading of its own."""
    if len(decisions) == 1:
        return section(decisions[0])
    return joined(part for each in decisions for part in (_heading(each), section(each)))


def _heading(decision: Decision) -> Markup:
    view = decision.view
    return element("h3", say("model_version", model=view.model, version=view.version))
