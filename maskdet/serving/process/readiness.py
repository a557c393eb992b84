"""What is reported once every model has passed its probe."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Thresholds = Mapping[str, str]
"""By model: which policy chose its thresholds and what they cost, in words."""
OnReady = Callable[[Thresholds], None]
