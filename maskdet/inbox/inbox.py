"""The inbox: pictures that people corrected, and pictures that were proposed and wait for a person's word."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryFile

from maskdet.dataset.duplicates import near_duplicates
from maskdet.dataset.pictures import perceptual_hash
from maskdet.detector.picture import PictureLimits, decode
from maskdet.errors import ServingError
from maskdet.inbox.audit import AuditLog
from maskdet.inbox.boxes import Correction, pixel_boxes
from maskdet.inbox.caps import Caps, Ledger
from maskdet.inbox.encoding import storable
from maskdet.inbox.naming import NAME_LENGTH, sha256_of
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import (
    CORRECTION,
    STATES,
    Decision,
    How,
    LabelledFace,
    Origin,
    ProposedFace,
    Record,
    now_text,
    time_text,
)
from maskdet.inbox.refusals import BadBoxes, DecidedMeanwhile, InboxFull, UnknownPicture
from maskdet.inbox.store import Store

REJECTED_DAYS = 1.0
"""How long a rejected picture can be brought back. Until then, nothing like it is captured."""
TIDY_SECONDS = 600.0
DEFAULT_PICTURE_LIMITS = PictureLimits()

logger = logging.getLogger("maskdet.inbox")


@dataclass(frozen=True, slots=True)
class InboxLimits:
    """What an inbox holds at most."""

    picture: PictureLimits = DEFAULT_PICTURE_LIMITS
    pictures: int = 10_000
    """Pictures that train."""
    waiting: int = 2_000
    """Pictures that wait for a decision, or were rejected in the last day."""
    waiting_bytes: int = 1024**3
    days: float = 30.0
    """How long a picture waits before it is removed."""


DEFAULT_LIMITS = InboxLimits()


class Inbox:
    """One folder. Safe for several threads and processes, whenever they are killed."""

    def __init__(self, folder: Path, limits: InboxLimits = DEFAULT_LIMITS) -> None:
        """Create or recover the folder. Raises ServingError if it is not writable, InboxBusy."""
        self._limits = limits
        self._store = Store(folder)
        self._audit = AuditLog(folder)
        self._ledger = Ledger(folder)
        self._turn = asyncio.Lock()
        self._tidied = 0.0
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

    async def take_in(self, data: bytes, corrections: Sequence[Correction], by: str = "") -> str:
        """`save` off the event loop, one at a time: at most one decoded picture is in memory."""
        async with self._turn:
            return await asyncio.to_thread(self.save, data, corrections, by)

    def save(self, data: bytes, corrections: Sequence[Correction], by: str = "") -> str:
        """Store an encoded picture and its faces for training; returns the name of its files, without suffix.

        The latest correction of a picture replaces earlier ones. Raises PictureError for bytes that are not a
        picture, BadBoxes, InboxFull and InboxBusy.
        """
        pixels = decode(data, self._limits.picture)
        height, width = pixels.shape[:2]
        pixel_boxes(corrections, width, height)
        kept, suffix = storable(data, pixels)
        digest = sha256_of(kept)
        record = Record(
            name=digest[:NAME_LENGTH],
            suffix=suffix,
            state="corrected",
            sha256=digest,
            phash=perceptual_hash(pixels),
            width=width,
            height=height,
            size=len(kept),
            why=CORRECTION,
            at=now_text(),
            boxes=_faces(corrections),
            decision=Decision(how="correct", by=by, at=now_text()),
        )
        with self._writing():
            self._correct(record, kept)
        return record.name

    def _correct(self, record: Record, data: bytes) -> None:
        old = self._store.find(record.name)
        target = self._store.picture(record)
        if not target.exists():
            self._check_training_room()
        self._audit.write("corrected", picture=record.name, why=record.why, by=_by(record))
        if old is None or not self._store.picture(old).exists():
            self._store.add(record, data)
        else:
            origin = {"why": old.why, "origin": old.origin, "about": old.about, "proposed": old.proposed}
            kept = {**origin, "at": old.at, "blurred": old.blurred, "revision": old.revision + 1}
            self._store.change(old, record.model_copy(update=kept))

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
            if not alike_too and any(near_duplicates(one.phash, record.phash) for one in waiting):
                return None
            self._check_waiting_room(waiting, record.size)
            self._audit.write("proposed", picture=record.name, why=record.why, **_told(record.origin))
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
        """The encoded picture and its suffix. Raises UnknownPicture."""
        try:
            with self._store.held():  # a decision moves it
                record = self.record(name)
                return self._store.picture(record).read_bytes(), record.suffix
        except OSError as error:
            raise UnknownPicture(
                f"the pixels of {name} are not there any more", "load the list again"
            ) from error

    def decide(
        self, name: str, how: How, *, revision: int, by: str, faces: Sequence[Correction] | None = None
    ) -> Record:
        """A person's word; `faces` only for correct. Any earlier decision is replaced.

        Raises UnknownPicture, DecidedMeanwhile if `revision` is not the record's, BadBoxes, InboxFull and
        InboxBusy.
        """
        with self._writing():
            old = self._current(name, revision)
            if how in ("accept", "correct") and not self._store.picture(old).exists():
                raise DecidedMeanwhile(f"the pixels of {name} are not kept any more", "leave it rejected")
            if how in ("accept", "correct") and not old.trains:
                self._check_training_room()
            boxes = _decided(old, how, faces)
            decision = Decision(how=how, by=by, at=now_text())
            state = STATES[how]
            changes = {"state": state, "boxes": boxes, "decision": decision, "revision": revision + 1}
            self._audit.write(state, picture=name, why=old.why, by=by, **_told(old.origin))
            record = old.model_copy(update=changes)
            self._store.change(old, record)
        return record

    def undo(self, name: str, *, revision: int, by: str) -> Record:
        """Back to a proposal, with the boxes that the model proposed. Raises like `decide`."""
        with self._writing():
            old = self._current(name, revision)
            if old.decision is None or not self._store.picture(old).exists():
                raise DecidedMeanwhile(f"there is no decision on {name} to undo", "load the list again")
            proposed = old.proposed or tuple(ProposedFace(label=one.label, box=one.box) for one in old.boxes)
            changes = {"state": "proposal", "boxes": (), "decision": None, "proposed": proposed}
            self._audit.write("undone", picture=name, why=old.why, by=by, **_told(old.origin))
            record = old.model_copy(update={**changes, "revision": revision + 1})
            self._store.change(old, record)
        return record

    # Removal.

    def tidy(self, *, now: datetime | None = None) -> None:
        """Remove what has waited too long; at most every ten minutes, unless `now` is given."""
        if now is None and time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        now = now or datetime.now(timezone.utc)
        waited = time_text(now - timedelta(days=self._limits.days))
        rejected = time_text(now - timedelta(days=min(REJECTED_DAYS, self._limits.days)))
        limits = {"rejected": rejected}
        waiting = [one for one in self._store.records() if not one.trains]
        old = [one for one in waiting if _since(one) < limits.get(one.state, waited)]
        if old:
            self.remove([one.name for one in old], "expired")

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

    def _current(self, name: str, revision: int) -> Record:
        record = self.record(name)
        if record.revision != revision:
            by = record.decision.by if record.decision else ""
            whom = f" by {by}" if by else ""
            raise DecidedMeanwhile(
                f"the picture has been changed meanwhile{whom}: it is {record.state}",
                "load it again, then decide",
            )
        return record

    def _check_training_room(self) -> None:
        if self._store.training_count() >= self._limits.pictures:
            raise InboxFull(
                f"the inbox holds {self._limits.pictures} pictures already",
                "ask the operator to empty it, or to raise serve.inbox_pictures",
            )

    def _check_waiting_room(self, waiting: Sequence[Record], size: int) -> None:
        limits = self._limits
        held = sum(one.size for one in waiting)
        if len(waiting) >= limits.waiting or held + size > limits.waiting_bytes:
            raise InboxFull(
                f"{len(waiting)} pictures with {held / 1e6:.0f} MB wait for a decision already",
                "review them, or raise serve.capture.max_pictures and max_bytes",
            )


def _decided(old: Record, how: How, faces: Sequence[Correction] | None) -> tuple[LabelledFace, ...]:
    if how == "accept":
        return tuple(LabelledFace(label=one.label, box=one.box) for one in old.proposed)
    if how != "correct":
        return ()
    if faces is None:
        raise BadBoxes("correct needs the boxes of all faces", "send them; [] for a picture without faces")
    pixel_boxes(faces, old.width, old.height)
    return _faces(faces)


def _faces(corrections: Sequence[Correction]) -> tuple[LabelledFace, ...]:
    return tuple(LabelledFace(label=one.label, box=one.box) for one in corrections)


def _by(record: Record) -> str:
    return record.decision.by if record.decision else ""


def _told(origin: Origin) -> dict[str, str]:
    return {key: value for key, value in origin.model_dump().items() if value}


def _since(record: Record) -> str:
    return record.decision.at if record.decision and record.state == "rejected" else record.at
