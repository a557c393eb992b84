"""Reads one picture: size, hash of its bytes, perceptual hash, and whether it decodes completely."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from maskdet.dataset.findings import Finding, clean
from maskdet.dataset.likeness import perceptual_hash
from maskdet.dataset.reading.sizes import PictureSize
from maskdet.detector.brightness import mean_luma
from maskdet.detector.picture import decode_reduced
from maskdet.errors import PictureError
from maskdet.system.machine import core_count

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".webp": "WEBP"}
"""Suffixes of pictures, in lower case, and the format each one stands for."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A picture that decodes.

    `sha256` is of the bytes; `phash` is the perceptual hash in hex digits, "" for a picture of one tone;
    `real_format` is the format of the content ("JPEG", ...); `luma` is the mean brightness, 0..255.
    """

    size: PictureSize
    sha256: str
    phash: str
    real_format: str
    luma: float


def read_facts(path: Path, file: str) -> PictureFacts | Finding:
    """Decode the picture at `path` once, in full. An undecodable one gives a finding about `file`.

    The decoder is the one that evaluation and prediction use, so what passes here does not fail there.
    """
    try:
        data = path.read_bytes()
        decoded = decode_reduced(data, at_least=None)
        real_format = _format(data)
    except OSError as error:
        return Finding(
            "picture-unreadable", file, f"cannot be read: {error.strerror or clean(str(error), 120)}"
        )
    except PictureError as error:
        return Finding("picture-unreadable", file, clean(error.what, 160))
    return PictureFacts(
        size=PictureSize(decoded.size, decoded.orientation),
        sha256=hashlib.sha256(data).hexdigest(),
        phash=perceptual_hash(decoded.pixels),
        real_format=real_format,
        luma=round(mean_luma(decoded.pixels), 1),
    )


def read_all_facts(files: Sequence[tuple[Path, str]]) -> Iterator[PictureFacts | Finding]:
    """`read_facts` for each (path, file), in their order, on all cores."""
    # The decoders release the interpreter lock, so threads are enough.
    with ThreadPoolExecutor(core_count()) as pool:
        yield from pool.map(lambda each: read_facts(*each), files)


def _format(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as picture:
        # Phones write JPEG files with a second picture inside, which Pillow calls MPO.
        return "JPEG" if picture.format == "MPO" else picture.format or "unknown"
