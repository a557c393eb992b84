"""`maskdet models history`: who did what to a model, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskdet.cli.models.options import AsJson, ModelName, day, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder

if TYPE_CHECKING:
    from maskdet.registry.records import Event


def history(
    name: ModelName = "", config: Config = None, registry: RegistryFolder = None, as_json: AsJson = False
) -> None:
    """Show what happened to a model, latest last."""
    from maskdet.cli.console import print_table

    opened = open_registry(config, registry)
    events = opened.history(opened.only(name))
    if as_json:
        print_json([event.model_dump(mode="json") for event in events])
        return
    print_table(("when", "by", "event", "why"), map(_row, events))


def _row(event: Event) -> tuple[str, ...]:
    from maskdet.registry.records import Judged, Move

    if isinstance(event, Move):
        return day(event.at), event.by, f"{event.event}: {event.describe()}", event.why
    why = ("passed" if event.passed else "; ".join(event.reasons)) if isinstance(event, Judged) else ""
    return day(event.at), event.by, f"{event.event}: version {event.number}", why
