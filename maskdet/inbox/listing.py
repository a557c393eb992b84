"""The review queue as a reviewer sees it: filtered, in order, in pages, and counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maskdet.inbox.record import NAME, Record, State

OPEN = "open"
"""Everything without a final decision: proposals, then what was skipped."""
MOST_NAMED = 100
"""Values of a filter that are listed, the most frequent ones."""
CURSOR = re.compile(rf"[01] [0-9TZ:.-]{{1,32}} {NAME}")

Place = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty texts match everything."""

    state: State | str = OPEN
    why: str = ""
    camera: str = ""
    model: str = ""

    def matches(self, record: Record) -> bool:
        return self._in_state(record) and all(
            not wanted or wanted == value
            for wanted, value in (
                (self.why, record.why),
                (self.camera, record.origin.camera),
                (self.model, record.origin.model),
            )
        )

    def _in_state(self, record: Record) -> bool:
        return is_open(record) if self.state == OPEN else record.state == self.state


def is_open(record: Record) -> bool:
    """Whether a person's final word is missing."""
    return record.state in ("proposal", "skipped")


def page(records: Iterable[Record], wanted: Wanted, after: str, limit: int) -> tuple[list[Record], str]:
    """Up to `limit` records behind the cursor `after`, and the cursor for the next page, empty at the end."""
    start = _parsed(after)
    places = sorted(
        ((_place(record), record) for record in records if wanted.matches(record)), key=lambda pair: pair[0]
    )
    rest = [record for place, record in places if start is None or place > start]
    shown = rest[:limit]
    more = len(rest) > limit
    return shown, " ".join(map(str, _place(shown[-1]))) if more else ""


def decided_since(records: Iterable[Record], since: str) -> dict[str, int]:
    """Decisions by state, from a time in UTC on."""
    decided = [one for one in records if one.decision is not None and one.decision.at >= since]
    return dict(Counter(one.state for one in decided))


def frequencies(values: Sequence[str]) -> dict[str, int]:
    """How often each value occurs, the most frequent first; empty ones are left out."""
    return dict(Counter(value for value in values if value).most_common(MOST_NAMED))


def _place(record: Record) -> Place:
    return int(record.state == "skipped"), record.at, record.name


def _parsed(cursor: str) -> Place | None:
    if not CURSOR.fullmatch(cursor):
        return None
    group, at, name = cursor.split(" ")
    return int(group), at, name
