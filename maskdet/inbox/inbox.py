"""The inbox: pictures that people corrected, and pictures that were proposed and wait for a person's word."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryFile

from maskdet.dataset.checking.duplicates import like_any
from maskdet.errors import ServingError
from maskdet.inbox.audit import AuditLog
from maskdet.inbox.boxes import Correction
from maskdet.inbox.caps import Caps, Ledger
from maskdet.inbox.decisions import check_revision, decided, sent, sent_again, undone
from maskdet.inbox.limits import InboxLimits
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import NO_ORIGIN, How, Origin, Record
from maskdet.inbox.refusals import DecidedMeanwhile, InboxFull, UnknownPicture
from maskdet.inbox.store import Store
from maskdet.system.clock import ClockDoubt
from maskdet.system.times import read_time

TIDY_SECONDS = 600.0
DEFAULT_LIMITS = InboxLimits()

logger = logging.getLogger("maskdet.inbox")


class Inbox:
    """One folder. Safe for several threads and processes, whenever they are killed."""

    def __init__(self, folder: Path, limits: InboxLimits = DEFAULT_LIMITS) -> None:
        """Create or recover the folder. Raises ServingError if it is not writable, InboxBusy."""
        self._limits = limits
        self._store = Store(folder)
        self._audit = AuditLog(folder)
        self._ledger = Ledger(folder)
        self._turn = asyncio.Lock()
        self._doubt = ClockDoubt(str(folder))
        self._tidied = -math.inf
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._store.recover()
            with TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ServingError(
                f"the inbox {folder} cannot be written to: {error.strerror or error}",
                "choose another folder with --inbox",
            ) from error

    # Corrections: pictures that a person sends with their boxes.

    async def take_in(
        self, data: bytes, corrections: Sequence[Correction], by: str = "", origin: Origin = NO_ORIGIN
    ) -> str:
        """`save` off the event loop, one at a time: at most one decoded picture is in memory."""
        async with self._turn:
            return await asyncio.to_thread(self.save, data, corrections, by, origin)

    def save(
        self, data: bytes, corrections: Sequence[Correction], by: str = "", origin: Origin = NO_ORIGIN
    ) -> str:
        """Store an encoded picture and its faces for training; returns the name of its files, without suffix.

        The latest correction of a picture replaces earlier ones. Raises PictureError for bytes that are not a
        picture, BadBoxes, InboxFull and InboxBusy.
        """
        record, kept = sent(data, corrections, self._limits.picture, by, origin)
        with self._writing():
            if not self._store.picture(record).exists():
                self._limits.check_training(self._store.training_count())
            self._tell("corrected", record, by)
            old = self._store.find(record.name)
            if old is not None and self._store.picture(old).exists():
                self._store.change(old, sent_again(old, record))
            else:
                self._store.add(record, kept)
        return record.name

    # Proposals: pictures that train only once a person accepts or corrects them.

    def propose(
        self, proposal: Proposal, *, caps: Caps | None = None, alike_too: bool = False
    ) -> Record | None:
        """Put a picture into the review queue; None if it, or one that looks like it, is there already.

        caps: refuse with InboxFull while they are exhausted. alike_too: only the same bytes count as there.
        Boxes are clipped to the picture; those without area are left out. Raises InboxFull and InboxBusy.
        """
        self.tidy()
        record, data = proposal.recorded()
        with self._writing():
            now = time.time()
            if caps is not None and caps.wait(self._ledger.times(now), now) > 0:
                raise InboxFull("the captures of this span are used up", "raise the caps of serve.capture")
            waiting = [one for one in self._store.records() if not one.trains]
            if self._store.find(record.name) is not None:
                return None
            if not alike_too and like_any((one.phash for one in waiting), [record.phash]):
                return None
            self._limits.check_waiting(waiting, record.size)
            self._tell("proposed", record)
            if caps is not None:
                self._ledger.add(now)
            self._store.add(record, data)
        return record

    def capture_wait(self, caps: Caps) -> float:
        """Seconds until the caps allow one more capture; 0 if they do now. Raises InboxBusy."""
        now = time.time()
        with self._store.held():
            return caps.wait(self._ledger.times(now), now)

    # Review.

    def records(self) -> list[Record]:
        """All pictures with a record, the earliest first."""
        return self._store.records()

    def record(self, name: str) -> Record:
        """Raises UnknownPicture."""
        found = self._store.find(name)
        if found is None:
            raise UnknownPicture(
                f"the inbox has no picture {name[:40]!r}", "it may have been removed; load the list again"
            )
        return found

    def picture(self, name: str) -> tuple[bytes, str]:
        """The encoded picture and its suffix. Raises UnknownPicture and InboxBusy."""
        try:
            with self._store.held():  # a decision moves it
                record = self.record(name)
                return self._store.picture(record).read_bytes(), record.suffix
        except OSError as error:
            raise UnknownPicture(f"the pixels of {name} are not there", "load the list again") from error

    def decide(
        self, name: str, how: How, *, revision: int, by: str, faces: Sequence[Correction] | None = None
    ) -> Record:
        """A person's word; `faces` only for correct. Any earlier decision is replaced.

        Raises UnknownPicture, DecidedMeanwhile if `revision` is not the record's, BadBoxes, InboxFull and
        InboxBusy.
        """
        with self._writing():
            old = self._seen(name, revision)
            record = decided(old, how, by, faces)
            if record.trains and not old.trains:
                self._limits.check_training(self._store.training_count())
            self._tell(record.state, record, by)
            self._store.change(old, record)
        return record

    def undo(self, name: str, *, revision: int, by: str) -> Record:
        """Back to a proposal, with the boxes that the model proposed. Raises like `decide`."""
        with self._writing():
            old = self._seen(name, revision)
            if old.decision is None:
                raise DecidedMeanwhile(f"there is no decision on {name} to undo", "load the list again")
            record = undone(old)
            self._tell("undone", record, by)
            self._store.change(old, record)
        return record

    # Removal.

    def tidy(self, *, now: datetime | None = None) -> None:
        """Remove what has waited too long; at most every ten minutes, and not while the clock is in doubt,
        unless `now` is given.
        """
        if now is None and time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        when = now or datetime.now(timezone.utc)
        records = self._store.records()
        if self._limits.expired(records, when) and not (now is None and self._is_ahead(when, records)):
            with self._writing():
                # Listed again: a person may have decided since.
                self.remove(self._limits.expired(self._store.records(), when), "expired")

    def _is_ahead(self, when: datetime, records: Sequence[Record]) -> bool:
        moments = (at for one in records for at in (one.at, one.since))
        return self._doubt.waits(when.timestamp(), (read_time(at) for at in moments))

    def remove(self, names: Sequence[str], what: str) -> list[Record]:
        """Remove pictures with their records, whatever their state; `what` is for the audit file."""
        removed = []
        with self._writing():
            for name in names:
                record = self._store.find(name)
                if record is not None:
                    self._audit.write(what, picture=name, why=record.why)
                    self._store.remove(record)
                    removed.append(record)
        return removed

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._store.held():
                yield
        except OSError as error:
            fields = {"folder": str(self._store.folder), "error": error.strerror or str(error)}
            logger.error("the inbox cannot be written", extra={"fields": fields})
            raise InboxFull(
                "the picture could not be written to the inbox", "ask the operator to check its disk"
            ) from error

    def _seen(self, name: str, revision: int) -> Record:
        """The record that a person saw at that revision."""
        record = self.record(name)
        check_revision(record, revision)
        if not self._store.picture(record).exists():
            raise UnknownPicture(f"the pixels of {name} are not there", "load the list again")
        return record

    def _tell(self, what: str, record: Record, by: str = "") -> None:
        told = {"why": record.why, **record.origin.model_dump(), "by": by}
        self._audit.write(what, picture=record.name, **{key: text for key, text in told.items() if text})
