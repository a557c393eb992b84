"""How the sections about drift write features, verdicts and times."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

from maskdet.drift.comparison import Drift
from maskdet.reporting.markup import Markup, element
from maskdet.reporting.texts import TEXTS, say

_STYLES: Final[dict[Drift, str]] = {"stable": "pass", "drift": "fail", "too few": "quiet"}


def feature_name(feature: str) -> Markup | str:
    """In words; one that only a newer server knows as it is."""
    key = f"feature.{feature}"
    return say(key) if key in TEXTS else feature


def verdict(drift: Drift) -> Markup:
    """In words and colour."""
    return element("span", say(f"drift.{drift}"), class_=_STYLES[drift])


def moment(seconds: float) -> str:
    """A time in UTC, seconds since the epoch."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M")
