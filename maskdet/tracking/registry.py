"""The available trackers: each is a key of the `tracking` section and the module of that name."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from maskdet.extras import require
from maskdet.tracking.settings import TrackingSettings
from maskdet.tracking.tracker import TrackerKind

TRACKERS: Final[dict[str, TrackerKind]] = {
    name: import_module(f"maskdet.tracking.{name}").TRACKER for name in TrackingSettings.model_fields
}


def require_packages(settings: TrackingSettings) -> None:
    """Raise EnvironmentProblem, with the line that installs it, for a tracker that is not installed."""
    for name, _ in settings.addresses():
        kind = TRACKERS[name]
        require(
            kind.extra, kind.module, asks=f"tracking.{name} needs", otherwise=f"leave tracking.{name} out"
        )
