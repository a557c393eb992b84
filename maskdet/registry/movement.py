"""Moving an alias: recorded first, then pointed to the version in one rename."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from maskdet.errors import RegistryError
from maskdet.registry.change import Change
from maskdet.registry.history import last_move, tracks
from maskdet.registry.records import Event, Move
from maskdet.system.asides import aside_of
from maskdet.system.times import now_text


def move_alias(
    changed: Change, alias: str, number: int, event: Literal["promoted", "rolled back"], by: str, why: str
) -> Move:
    """Record the move and let it take effect. Raises OSError, and then nothing was moved."""
    layout = changed.layout
    before = layout.target(alias)
    move = Move(event=event, at=now_text(), by=by, alias=alias, before=before, after=number, why=why)
    if before == number:
        return move
    aside = aside_of(layout.alias(alias))
    try:
        # Written before the record: once that is on the disk, only a rename is left, which needs no room.
        aside.write_text(f"{number}\n", encoding="utf-8", newline="\n")
        changed.record(move)
        aside.replace(layout.alias(alias))
    finally:
        aside.unlink(missing_ok=True)
    return move


def check_expected(
    events: Sequence[Event], model: str, alias: str, found: int | None, expected: int | None
) -> None:
    """Raise RegistryError if an alias no longer points to the version that its mover has seen."""
    if expected is None or (found or 0) == expected:
        return
    seen = f"version {expected}" if expected else "nothing"
    move = last_move(events, alias)
    first = f": {move.by} moved it{_because(move)} at {move.at}" if move else ""
    now_at = f"version {found}" if found else "nothing"
    raise RegistryError(
        f"{alias} of {model} points to {now_at}, not to {seen}{first}",
        f"`maskdet models history {model}` shows what happened; decide again from there",
    )


def earlier(events: Sequence[Event], alias: str, existing: Sequence[int]) -> int | None:
    """The version that a rollback of the alias leads to, None if there is none."""
    track = tracks(events).get(alias, [])
    present = track[-1:]
    return next((one for one in reversed(track) if one in existing and [one] != present), None)


def _because(move: Move) -> str:
    return f" ({move.why})" if move.why else ""
