"""A promotion beyond the registry: the aliases of trackers follow."""

from __future__ import annotations

from collections.abc import Iterator

from maskdet.pipeline.running.stage import Context
from maskdet.registry.version import Version
from maskdet.tracking.promotion import promoted


def tell_trackers(context: Context, version: Version, alias: str) -> Iterator[str]:
    """Let the alias name the version in every tracker in use; a warning for each that failed."""
    settings = context.pipeline.tracking
    yield from promoted(settings, version.model, alias, number=version.number, sha256=version.record.bundle)
