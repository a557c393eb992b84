"""The files of an inbox. A record says where its picture belongs; what killed processes left is put right.

    JPEGImages/ and Annotations/  pictures that train: a Pascal VOC folder
    proposals/                    pictures that do not, whatever reads the VOC folder
    records/                      a JSON file for each picture

A picture enters training before its record says so, and leaves it after: so a kill between the two leaves a
record that is right, and files that recovery moves to where it says.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from pydantic import ValidationError

from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.formats.voc_writer import voc_document
from maskdet.dataset.reading.layout import ANNOTATIONS, PICTURES
from maskdet.dataset.reading.pictures import FORMATS
from maskdet.detector.iou import pairwise_iou
from maskdet.inbox.boxes import Correction, pixel_boxes
from maskdet.inbox.naming import NAME_LENGTH, sha256_of
from maskdet.inbox.record import NAME, LabelledFace, Record
from maskdet.inbox.refusals import BadBoxes, InboxBusy
from maskdet.system.asides import sweep
from maskdet.system.files import staged_file

WAITING = "proposals"
RECORDS = "records"
LOCK = ".lock"
LOCK_SECONDS = 10.0
SAME_FACE = 0.5
"""IoU from which a decided face is one that was blurred."""
_NAME = re.compile(NAME)

logger = logging.getLogger("maskdet.inbox")


class Store:
    """Records and pictures of one folder; safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / LOCK, timeout=LOCK_SECONDS, thread_local=False)
        self._turn = threading.RLock()
        self._known: dict[str, tuple[tuple[int, int], Record | None]] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """The only writer, among threads and processes. Raises InboxBusy."""
        with self._turn:
            try:
                self._lock.acquire()
            except Timeout as error:
                raise InboxBusy(
                    f"another process has held the inbox for {LOCK_SECONDS:g} s", "try again in a moment"
                ) from error
            try:
                yield
            finally:
                self._lock.release()

    def recover(self) -> None:
        """Create the folders, remove what killed processes left, and put every picture where it belongs."""
        for part in (PICTURES, ANNOTATIONS, WAITING, RECORDS):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
            sweep(self.folder / part)
        sweep(self.folder)
        with self.held():
            for record in self.records():
                self._put_right(record)
            self._remove_orphans()

    def records(self) -> list[Record]:
        """All of them, the earliest first. A damaged file is reported once and left out."""
        with self._turn:
            found = {}
            with os.scandir(self.folder / RECORDS) as entries:
                for entry in entries:
                    if entry.name.endswith(".json") and _NAME.fullmatch(entry.name[:-5]):
                        # Removed by another process since it was listed.
                        with suppress(FileNotFoundError):
                            found[entry.name[:-5]] = self._read(Path(entry.path), entry.stat())
            self._known = found
            known = [record for _, record in found.values() if record is not None]
        return sorted(known, key=lambda record: (record.at, record.name))

    def find(self, name: str) -> Record | None:
        """The record of that name; None if there is none."""
        path = self.folder / RECORDS / f"{name}.json"
        if not _NAME.fullmatch(name) or not path.is_file():
            return None
        return _parsed(path)

    def picture(self, record: Record) -> Path:
        return self.folder / (PICTURES if record.trains else WAITING) / record.file

    def training_count(self) -> int:
        """Pictures that train, those without a record included."""
        return sum(1 for _ in (self.folder / PICTURES).iterdir())

    def add(self, record: Record, data: bytes) -> None:
        """A picture and its record, or neither. Raises OSError."""
        with staged_file(self._record(record)) as aside:
            aside.write_text(record.model_dump_json(indent=2), encoding="utf-8")
            with staged_file(self._annotation(record)) if record.trains else _nothing() as annotation:
                if annotation is not None:
                    annotation.write_bytes(document_of(record))
                with staged_file(self.picture(record)) as picture:
                    picture.write_bytes(data)

    def change(self, old: Record, record: Record) -> None:
        """A new revision, with its picture where its state wants it. Raises OSError with nothing changed."""
        try:
            with staged_file(self._record(record)) as aside:
                aside.write_text(record.model_dump_json(indent=2), encoding="utf-8")
                if record.trains:
                    self._enter(record)
        except OSError:
            with suppress(OSError):
                self._settle(old)
            raise
        if not record.trains:
            self._settle(record)

    def remove(self, record: Record) -> None:
        """The pixels first: a record without its picture is one that is being removed."""
        for part in (PICTURES, WAITING):
            (self.folder / part / record.file).unlink(missing_ok=True)
        self._annotation(record).unlink(missing_ok=True)
        self._record(record).unlink(missing_ok=True)

    def _enter(self, record: Record) -> None:
        with staged_file(self._annotation(record)) as annotation:
            annotation.write_bytes(document_of(record))
            self._move(record)

    def _put_right(self, record: Record) -> None:
        """Like `_settle`; a record that somebody damaged is reported."""
        try:
            self._settle(record)
        except BadBoxes as error:
            _report(record.name, error.what)

    def _settle(self, record: Record) -> None:
        """Do what the record says; nothing if it is done. Annotations may have been edited, and then stay."""
        annotation = self._annotation(record)
        if not any((self.folder / part / record.file).exists() for part in (PICTURES, WAITING)):
            self.remove(record)
        elif not record.trains:
            self._move(record)
            annotation.unlink(missing_ok=True)
        elif not annotation.exists():
            self._enter(record)
        else:
            self._move(record)

    def _move(self, record: Record) -> None:
        target = self.picture(record)
        other = self.folder / (WAITING if record.trains else PICTURES) / record.file
        if other.exists():
            other.replace(target)

    def _remove_orphans(self) -> None:
        """Pictures whose record was never written. A whole VOC pair is kept: people may add their own."""
        for path in (self.folder / WAITING).iterdir():
            if path.suffix in FORMATS and not self._has_record(path.stem):
                path.unlink()
        for path in (self.folder / PICTURES).iterdir():
            lonely = not (self.folder / ANNOTATIONS / f"{path.stem}.xml").exists()
            if lonely and not self._has_record(path.stem) and _is_ours(path):
                path.unlink()

    def _has_record(self, name: str) -> bool:
        return (self.folder / RECORDS / f"{name}.json").exists()

    def _record(self, record: Record) -> Path:
        return self.folder / RECORDS / f"{record.name}.json"

    def _annotation(self, record: Record) -> Path:
        return self.folder / ANNOTATIONS / f"{record.name}.xml"

    def _read(self, path: Path, about: os.stat_result) -> tuple[tuple[int, int], Record | None]:
        stamp = (about.st_mtime_ns, about.st_ino)
        known = self._known.get(path.stem)
        return known if known is not None and known[0] == stamp else (stamp, _parsed(path))


def document_of(record: Record) -> bytes:
    """The annotation of a decided picture; faces that were blurred are difficult too."""
    corrections = [Correction(one.label, one.box) for one in record.boxes]
    boxes = pixel_boxes(corrections, record.width, record.height)
    hidden = _hidden(record.boxes, record)
    faces = [
        LabelledObject(one.label, box, difficult=one.difficult or blurred)
        for one, box, blurred in zip(record.boxes, boxes, hidden, strict=True)
    ]
    return voc_document(record.file, (record.height, record.width), faces)


def _hidden(faces: tuple[LabelledFace, ...], record: Record) -> list[bool]:
    if not faces or not record.blurred:
        return [False] * len(faces)
    boxes = np.array([one.box for one in faces], np.float32)
    overlaps = pairwise_iou(boxes, np.array(record.blurred, np.float32))
    return [bool(most >= SAME_FACE) for most in overlaps.max(axis=1)]


def _parsed(path: Path) -> Record | None:
    try:
        record = Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        _report(path.stem, str(error))
        return None
    return record if record.name == path.stem else None


def _report(name: str, error: str) -> None:
    logger.warning("damaged record", extra={"fields": {"record": name, "error": error[:200]}})


def _is_ours(path: Path) -> bool:
    """Whether the file has the name that the inbox gives to its content."""
    return bool(_NAME.fullmatch(path.stem)) and sha256_of(path.read_bytes())[:NAME_LENGTH] == path.stem


@contextmanager
def _nothing() -> Iterator[None]:
    yield None
