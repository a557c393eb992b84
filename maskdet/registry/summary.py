"""Versions in plain JSON types, for lists and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskdet.registry.history import last_verdict
from maskdet.registry.records import Event, Move
from maskdet.registry.version import Version


def summary_of(version: Version, aliases: Mapping[str, int]) -> dict[str, Any]:
    """What a list shows of a version; aliases: all those of the model."""
    record = version.record
    return {
        "model": record.model,
        "number": record.number,
        "aliases": [alias for alias, number in aliases.items() if number == record.number],
        "ap50": record.lineage.metrics.get("ap50"),
        "created": record.created,
        "by": record.by,
        "bundle": record.bundle,
        "signed": version.signature is not None,
    }


def verdict_of(version: Version, events: Sequence[Event]) -> dict[str, Any]:
    """The gates' latest verdict on a version, empty if there is none; events: the model's history."""
    judged = last_verdict(events, version.number)
    if judged is None:
        return version.record.lineage.gates
    return {"passed": judged.passed, "reasons": list(judged.reasons)}


def details_of(version: Version, aliases: Mapping[str, int], events: Sequence[Event]) -> dict[str, Any]:
    """Everything about a version, with the gates' latest verdict and the moves of aliases to it."""
    moves = [event for event in events if isinstance(event, Move) and event.after == version.number]
    return {
        **version.record.model_dump(mode="json"),
        "reference": version.reference,
        "folder": str(version.folder),
        "aliases": summary_of(version, aliases)["aliases"],
        "signed": version.signature is not None,
        "gates": verdict_of(version, events),
        "moves": [move.model_dump(mode="json") for move in moves],
    }
