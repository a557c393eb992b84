"""The inbox: corrected pictures and boxes, kept as a Pascal VOC folder for the next training."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import cv2
from lxml import etree

from maskdet.asides import sweep
from maskdet.detector.picture import PictureLimits, decode
from maskdet.errors import ServingError
from maskdet.files import staged_file
from maskdet.inbox.refusals import BadBoxes, InboxFull
from maskdet.types import Picture

PICTURES = "JPEGImages"
ANNOTATIONS = "Annotations"
NAME_LENGTH = 16
"""Characters of the picture's sha256 in the names of its two files."""
MAX_BOXES = 1000
PICTURE_LIMITS = PictureLimits()

_SIGNATURES = ((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png"), (b"BM", ".bmp"))

PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Correction:
    """One corrected face; `box` is x1, y1, x2, y2 in pixels of the picture after its EXIF turn."""

    label: str
    box: tuple[float, float, float, float]


class Inbox:
    """Stores corrections under generated names; the latest correction of a picture replaces earlier ones."""

    def __init__(
        self, folder: Path, limits: PictureLimits = PICTURE_LIMITS, *, max_pictures: int = 10_000
    ) -> None:
        """Create the folder. Raises ServingError if it is not writable."""
        self._pictures = folder / PICTURES
        self._annotations = folder / ANNOTATIONS
        self._limits = limits
        self._most = max_pictures
        # Counting and storing go together, and so do a picture and its annotation.
        self._lock = threading.Lock()
        self._turn = asyncio.Lock()
        try:
            for part in (self._pictures, self._annotations):
                part.mkdir(parents=True, exist_ok=True)
                sweep(part)
                with TemporaryFile(dir=part):
                    pass
        except OSError as error:
            raise ServingError(
                f"the inbox {folder} cannot be written to: {error.strerror or error}",
                "choose another folder with --inbox",
            ) from error

    async def take_in(self, data: bytes, corrections: Sequence[Correction]) -> str:
        """`save` off the event loop, one at a time: at most one decoded picture is in memory."""
        async with self._turn:
            return await asyncio.to_thread(self.save, data, corrections)

    def save(self, data: bytes, corrections: Sequence[Correction]) -> str:
        """Store an encoded picture and its faces; returns the name of both files, without suffix.

        Raises PictureError for bytes that are not a picture, BadBoxes for invalid boxes, and
        InboxFull.
        """
        pixels = decode(data, self._limits)
        height, width = pixels.shape[:2]
        boxes = pixel_boxes(corrections, width, height)
        kept, ending = _storable(data, pixels)
        name = hashlib.sha256(kept).hexdigest()[:NAME_LENGTH]
        faces = [(one.label, box) for one, box in zip(corrections, boxes, strict=True)]
        document = voc_document(f"{name}{ending}", width, height, faces)
        with self._lock:
            self._store(f"{name}{ending}", kept, f"{name}.xml", document)
        return name

    def _store(self, picture: str, data: bytes, annotation: str, document: bytes) -> None:
        try:
            if not (self._pictures / picture).exists() and self._count() >= self._most:
                raise InboxFull(
                    f"the inbox holds {self._most} pictures already",
                    "ask the operator to empty it, or to raise serve.inbox_pictures",
                )
            _write(self._pictures / picture, data)
            _write(self._annotations / annotation, document)
        except OSError as error:
            raise InboxFull(
                "the correction could not be written to the inbox", "ask the operator to check its disk"
            ) from error

    def _count(self) -> int:
        return sum(1 for _ in self._pictures.iterdir())


def pixel_boxes(corrections: Sequence[Correction], width: int, height: int) -> list[PixelBox]:
    """The boxes clipped to the picture, in whole pixels. Raises BadBoxes for what `prepare` would refuse."""
    if len(corrections) > MAX_BOXES:
        raise BadBoxes(f"more than {MAX_BOXES} boxes", "send those of one picture")
    boxes = [_whole(one, number, width, height) for number, one in enumerate(corrections, start=1)]
    labels: dict[PixelBox, str] = {}
    for one, box in zip(corrections, boxes, strict=True):
        if labels.setdefault(box, one.label) != one.label:
            raise BadBoxes(f"one box is called {labels[box]} and {one.label}", "keep one of them")
    return boxes


def voc_document(filename: str, width: int, height: int, faces: Sequence[tuple[str, PixelBox]]) -> bytes:
    """A Pascal VOC annotation in UTF-8, in the same bytes for the same faces."""
    root = etree.Element("annotation")
    _add(root, "folder", PICTURES)
    _add(root, "filename", filename)
    size = etree.SubElement(root, "size")
    for side, value in (("width", width), ("height", height), ("depth", 3)):
        _add(size, side, value)
    _add(root, "segmented", 0)
    for label, box in faces:
        item = etree.SubElement(root, "object")
        for tag, text in (("name", label), ("pose", "Unspecified"), ("truncated", 0), ("difficult", 0)):
            _add(item, tag, text)
        frame = etree.SubElement(item, "bndbox")
        for side, edge in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
            _add(frame, side, edge)
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="utf-8") + b"\n"


def _add(parent: etree._Element, tag: str, text: str | int) -> None:
    etree.SubElement(parent, tag).text = str(text)


def _whole(one: Correction, number: int, width: int, height: int) -> PixelBox:
    # Clipped before rounding: an edge may be any number a client can write.
    x1, x2 = (round(min(max(edge, 0.0), width)) for edge in one.box[::2])
    y1, y2 = (round(min(max(edge, 0.0), height)) for edge in one.box[1::2])
    if x1 >= x2 or y1 >= y2:
        raise BadBoxes(
            f"box {number} has no area inside the picture, {width} x {height}",
            "a box is x1, y1, x2, y2 in pixels, with x1 < x2 and y1 < y2",
        )
    return x1, y1, x2, y2


def _storable(data: bytes, pixels: Picture) -> tuple[bytes, str]:
    """What to store, and its suffix: the bytes as sent if `prepare` reads their format, else a PNG."""
    for signature, ending in _SIGNATURES:
        if data.startswith(signature):
            return data, ending
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data, ".webp"
    _, encoded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    return encoded.tobytes(), ".png"


def _write(target: Path, data: bytes) -> None:
    with staged_file(target) as aside:
        aside.write_bytes(data)
