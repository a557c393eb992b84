"""What an inbox holds at most, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from maskdet.detector.picture import PictureLimits
from maskdet.inbox.record import Record
from maskdet.inbox.refusals import InboxFull
from maskdet.system.times import time_text

REJECTED_DAYS = 1.0
"""How long a rejected picture can be brought back. Until then, nothing like it is captured."""
_PICTURE = PictureLimits()


@dataclass(frozen=True, slots=True)
class InboxLimits:
    """`picture` bounds what is decoded."""

    picture: PictureLimits = _PICTURE
    pictures: int = 10_000
    """Pictures that train."""
    waiting: int = 2_000
    """Pictures that wait for a decision, or were rejected in the last day."""
    waiting_bytes: int = 1024**3
    days: float = 30.0
    """How long a picture waits, since it came, was skipped or a decision undone, before it is removed."""

    def check_training(self, count: int) -> None:
        """Raise InboxFull if there is no room beside `count` pictures that train."""
        if count >= self.pictures:
            raise InboxFull(
                f"the inbox holds {self.pictures} pictures already",
                "ask the operator to empty it, or to raise serve.inbox_pictures",
            )

    def check_waiting(self, waiting: Sequence[Record], size: int) -> None:
        """Raise InboxFull if a picture of `size` bytes has no room beside those that wait."""
        held = sum(one.size for one in waiting)
        if len(waiting) >= self.waiting or held + size > self.waiting_bytes:
            raise InboxFull(
                f"{len(waiting)} pictures with {held / 1e6:.0f} MB wait for a decision already",
                "review them, or raise serve.capture.max_pictures and max_bytes",
            )

    def expired(self, records: Sequence[Record], now: datetime) -> list[str]:
        """Names of the pictures that have waited too long, or were rejected more than a day ago."""
        waited = time_text(now - timedelta(days=self.days))
        rejected = time_text(now - timedelta(days=min(REJECTED_DAYS, self.days)))
        return [
            one.name
            for one in records
            if not one.trains and one.since < (rejected if one.state == "rejected" else waited)
        ]
