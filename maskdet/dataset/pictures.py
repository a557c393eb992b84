"""Reads one picture: size, hash of its bytes, perceptual hash, and whether it decodes to the end."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from maskdet.dataset.findings import Finding, clean
from maskdet.types import BoolArray

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".webp": "WEBP"}
"""Endings of pictures, in lower case, and the format each promises."""

HASH_SIZE = 16
"""Side of the perceptual hash: 16 x 16 = 256 bits. With 64 bits, portraits of different people collide."""

_FLAT = 3.0
"""Standard deviation in grey levels under which a picture has no structure to take a hash of."""

_ORIENTATION = 0x0112
_SIDEWAYS = {5, 6, 7, 8}

# What Pillow's decoders raise on damaged files, besides OSError.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture that decodes. Sizes are (width, height) in pixels.

    `size` is after the EXIF turn, `stored_size` before; `sha256` is of the bytes; `bits` is the 256-bit
    perceptual hash, None for a picture of one tone; `real_format` is what the content is ("JPEG", ...).
    """

    size: tuple[int, int]
    stored_size: tuple[int, int]
    sha256: str
    bits: BoolArray | None
    real_format: str


def read_picture(path: Path, file: str) -> PictureFacts | Finding:
    """Decode the picture at `path` once, wholly. One that cannot be decoded gives a finding about `file`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return Finding("picture-unreadable", file, f"cannot be read: {error.strerror}")
    try:
        with Image.open(io.BytesIO(data), formats=sorted(set(FORMATS.values()))) as picture:
            return _facts(picture, data)
    except _DECODE_ERRORS as error:
        return _fault(error, data, file)


def read_pictures(root: Path, files: Sequence[str]) -> Iterator[PictureFacts | Finding]:
    """`read_picture` for each of `files` under `root`, in their order, on all cores."""
    # Pillow lets go of the interpreter lock while it decodes, so threads do.
    with ThreadPoolExecutor(_cores()) as pool:
        yield from pool.map(lambda file: read_picture(root / file, file), files)


def _facts(picture: Image.Image, data: bytes) -> PictureFacts:
    stored = picture.size
    picture.load()
    turned = stored[::-1] if picture.getexif().get(_ORIENTATION) in _SIDEWAYS else stored
    # Samsung and Apple write JPEG files with a second picture inside, which Pillow calls MPO.
    real_format = "JPEG" if picture.format == "MPO" else picture.format or ""
    digest = hashlib.sha256(data).hexdigest()
    return PictureFacts(turned, stored, digest, _perceptual_hash(picture), real_format)


def _perceptual_hash(picture: Image.Image) -> BoolArray | None:
    """Which of the lowest 16 x 16 DCT terms of the grey picture exceed their median (pHash of imagehash)."""
    if "transparency" in picture.info:
        picture = picture.convert("RGBA")
    grey = ImageOps.exif_transpose(picture.convert("L")) if _is_turned(picture) else picture.convert("L")
    if float(np.asarray(grey.resize((32, 32), Image.Resampling.BOX), np.float64).std()) < _FLAT:
        return None
    bits: BoolArray = np.asarray(imagehash.phash(grey, hash_size=HASH_SIZE).hash, np.bool_).reshape(-1)
    return bits


def _is_turned(picture: Image.Image) -> bool:
    return bool(picture.getexif().get(_ORIENTATION, 1) != 1)


def _fault(error: BaseException, data: bytes, file: str) -> Finding:
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return Finding("picture-unreadable", file, f"too many pixels: {clean(str(error), 120)}")
    if not data:
        return Finding("picture-truncated", file, "the file is empty")
    if isinstance(error, UnidentifiedImageError):
        return Finding("picture-unreadable", file, "not a JPEG, PNG, BMP or WebP picture")
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return Finding("picture-truncated", file, f"breaks off: {clean(str(error), 120)}", "fetch it again")
    return Finding("picture-unreadable", file, f"cannot be decoded: {clean(str(error), 120)}")


def _cores() -> int:
    # A container often may use fewer cores than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
