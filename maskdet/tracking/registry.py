"""The available trackers: each is a key of the `tracking` section and the module of that name."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

from maskdet.errors import EnvironmentProblem
from maskdet.tracking.settings import TrackingSettings
from maskdet.tracking.tracker import TrackerKind

TRACKERS: Final[dict[str, TrackerKind]] = {
    name: import_module(f"maskdet.tracking.{name}").TRACKER for name in TrackingSettings.model_fields
}


def require_packages(settings: TrackingSettings) -> None:
    """Raise EnvironmentProblem, with the line that installs it, for a tracker that is not installed."""
    for name, _ in settings.addresses():
        kind = TRACKERS[name]
        if find_spec(kind.module) is None:
            raise EnvironmentProblem(
                f"tracking.{name} is set, but {kind.module} is not installed",
                f'`pip install "maskdet[{kind.extra}]"`, or leave tracking.{name} out',
            )
