"""Aliases of registered models: a tracker's follow those of maskdet's own registry."""

from __future__ import annotations

from collections.abc import Iterator

from maskdet.tracking.courier import Courier, GivenUp
from maskdet.tracking.follower import PATIENCE_SECONDS
from maskdet.tracking.registry import TRACKERS
from maskdet.tracking.settings import TrackingSettings


def promoted(
    settings: TrackingSettings,
    model: str,
    alias: str,
    *,
    number: int,
    sha256: str,
    patience: float = PATIENCE_SECONDS,
) -> Iterator[str]:
    """Let the alias name the bundle's version in every tracker in use; a warning for each that failed.

    number, sha256: the version in maskdet's registry and its bundle's hash. Never raises for a tracker, and
    waits for each at most `patience` seconds.
    """
    for name, address in settings.addresses():

        def attempt(given_up: GivenUp, name: str = name, address: str = address) -> None:
            tracker = TRACKERS[name].connect(address)
            if not given_up():
                tracker.set_alias(model, sha256, alias, number)

        if trouble := Courier(attempt).close(patience):
            yield f"tracking.{name}: the alias {alias} of {model} was not moved there: {trouble}"
