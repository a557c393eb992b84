"""Picture files to pixels: the one decoder of serving, prediction, evaluation and parity.

JPEG and WebP go through OpenCV, all else through Pillow; both agree with
`cv2.imdecode(..., IMREAD_COLOR)`, which the trainer uses. EXIF orientation is applied, the alpha channel is
dropped (as the trainer drops it), 16-bit pictures keep their high byte, and animations and multi-page
files yield their first picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from maskdet.detector import jpeg
from maskdet.detector.exif import UPRIGHT, read_orientation, swaps_axes
from maskdet.errors import PictureError
from maskdet.types import Picture

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"})
"""File name endings, lower case, of the formats that are decoded."""
PICTURE_SUFFIXES: Final = SUFFIXES | {".heic", ".heif", ".avif", ".jp2", ".jxl"}
"""Those of formats that are not decoded as well: such a picture is reported, not passed over in silence."""

_FORMATS_HINT = "send a JPEG, PNG, BMP, WebP, TIFF or GIF picture"
_DAMAGED_HINT = "save the picture again, or leave it out"
_STRIP_PIXELS = 1 << 19
"""Pixels copied out of Pillow at once: less than a millisecond of work."""
_PILLOW_FORMATS = ("PNG", "BMP", "WEBP", "TIFF", "GIF")
_BRANDS: Final = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}
"""Formats in ISO base media files by their major brand (ISO/IEC 23008-12, AV1 Image File Format)."""
_SIGNATURES: Final = {
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
}
"""Of other formats that are not decoded (ISO/IEC 15444-1, 18181-2)."""
_FLAGS: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The largest picture that is decoded; checked before any pixel is."""

    max_bytes: int = 32 * 1024 * 1024
    """Encoded size."""
    max_pixels: int = 50_000_000
    """Width times height."""
    max_scans: int = 64
    """Passes of a progressive JPEG: a few bytes each, yet each costs as much time as a whole picture."""


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A picture that may have been decoded at a fraction of its size."""

    pixels: Picture
    size: tuple[int, int]
    """Height and width of the whole picture after its EXIF turn: boxes are in its pixels."""
    orientation: int = UPRIGHT
    """Of the file, as EXIF counts; the turn has been made."""

    @property
    def reduced(self) -> bool:
        """Whether `pixels` was decoded at less than full size."""
        return self.pixels.shape[:2] != self.size


def decode(data: bytes, limits: PictureLimits = PictureLimits()) -> Picture:
    """Decode at full size. Raises PictureError, and nothing else, whatever the bytes are."""
    return decode_reduced(data, limits, at_least=None).pixels


def decode_reduced(
    data: bytes, limits: PictureLimits = PictureLimits(), *, at_least: tuple[int, int] | None
) -> DecodedPicture:
    """Decode a JPEG at 1/2, 1/4 or 1/8 where that still gives `at_least` (height, width); all others in full.

    Saves most of the decoding time of large photographs. Pixels differ a little from those of a full decode,
    so all code that detects (training's validation, eval, predict, serve, parity) reads pictures this way,
    and asks for what its passes need: the network input, or `Look.least_size`.
    """
    if len(data) > limits.max_bytes:
        raise _too_many_bytes(len(data), limits)
    try:
        return _decode(data, limits, at_least)
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(
            "there is not enough memory to decode the picture", "send a smaller picture"
        ) from error
    # Decoders raise a dozen kinds of exception on hostile bytes; the caller treats them all alike.
    except Exception as error:
        raise PictureError(f"the picture is damaged: {error}", _DAMAGED_HINT) from error


def from_image(image: Image.Image, limits: PictureLimits = PictureLimits()) -> Picture:
    """A Pillow image as `decode` would return it from a file; the image is not modified.

    Raises PictureError.
    """
    try:
        # Converting drops the palette's transparency from the image itself.
        return _upright(image.copy() if "transparency" in image.info else image, limits)
    except PictureError:
        raise
    # As above: a file that was opened but not yet read is decoded here.
    except Exception as error:
        raise PictureError(f"the picture is damaged: {error}", _DAMAGED_HINT) from error


def read_picture(path: Path, limits: PictureLimits = PictureLimits()) -> Picture:
    """Read and decode a file at full size; a PictureError names it."""
    return read_reduced(path, limits, at_least=None).pixels


def read_reduced(
    path: Path, limits: PictureLimits = PictureLimits(), *, at_least: tuple[int, int] | None
) -> DecodedPicture:
    """`decode_reduced` of a file; a PictureError names it."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limits.max_bytes + 1)
        if len(data) > limits.max_bytes:
            raise _too_many_bytes(path.stat().st_size, limits)
        return decode_reduced(data, limits, at_least=at_least)
    except OSError as error:
        raise PictureError(
            f"{path}: {error.strerror or error}", "check the path and its permissions"
        ) from error
    except PictureError as error:
        raise PictureError(f"{path}: {error.what}", error.hint) from error


def _decode(data: bytes, limits: PictureLimits, at_least: tuple[int, int] | None) -> DecodedPicture:
    if not data:
        raise PictureError("the picture is empty (0 bytes)", _FORMATS_HINT)
    if data.startswith(jpeg.SIGNATURE):
        return _decode_jpeg(data, limits, at_least)
    with _open(data, limits) as image:
        pixels = _upright(image, limits, data)
        return DecodedPicture(pixels, (pixels.shape[0], pixels.shape[1]), _orientation(image))


def _upright(image: Image.Image, limits: PictureLimits, data: bytes = b"") -> Picture:
    """`data` is the file that the image is read from, where there is one."""
    _check_pixels(image.size[::-1], limits)
    webp = _decode_webp(data) if data and image.format == "WEBP" else None
    stored = _to_rgb(image) if webp is None else webp
    return _turned(stored, _orientation(image))


def _orientation(image: Image.Image) -> int:
    """Of an image that has been loaded, since PNG may store it after the pixels."""
    # Pillow turns TIFF by itself.
    return UPRIGHT if image.format == "TIFF" else read_orientation(image.info.get("exif", b""))


def _decode_jpeg(data: bytes, limits: PictureLimits, at_least: tuple[int, int] | None) -> DecodedPicture:
    layout = jpeg.read_layout(data)
    if layout is None:
        raise PictureError("the JPEG's header is damaged or cut off", _DAMAGED_HINT)
    _check_pixels(layout.size, limits)
    if layout.scans > limits.max_scans:
        raise PictureError(
            f"the JPEG has {layout.scans} scans, more than {limits.max_scans}", "save it as a baseline JPEG"
        )
    if not layout.complete:
        raise PictureError("the JPEG is cut off: its end is missing", "send the whole file")
    turn = read_orientation(layout.exif)
    size = layout.size[::-1] if swaps_axes(turn) else layout.size
    step = 1 if at_least is None else _reduction(size, at_least)
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[step] | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr is None:
        raise PictureError("the JPEG's pixels are damaged", _DAMAGED_HINT)
    return DecodedPicture(_turned(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr), turn), size, turn)


def _reduction(size: tuple[int, int], at_least: tuple[int, int]) -> int:
    """The largest of 8, 4, 2 that leaves at least the wanted (height, width); 1 for none."""
    fits = (step for step in (8, 4, 2) if size[0] // step >= at_least[0] and size[1] // step >= at_least[1])
    return next(fits, 1)


def _open(data: bytes, limits: PictureLimits) -> Image.Image:
    """Read the header only. Pillow has its own pixel limit, which applies first to huge pictures."""
    # ppdet's trainer turns this on for the whole process; a truncated picture would pass for a whole one.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        return Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels("far more", limits) from error
    except UnidentifiedImageError as error:
        raise _unknown(data) from error


def _unknown(data: bytes) -> PictureError:
    brand = _BRANDS.get(data[8:12]) if data[4:8] == b"ftyp" else None
    name = brand or next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)
    if name is None:
        return PictureError("the bytes are not a picture in a known format", _FORMATS_HINT)
    return PictureError(f"the picture is in the format {name}, which is not decoded", "save it as JPEG")


def _check_pixels(size: tuple[int, int], limits: PictureLimits) -> None:
    height, width = size
    if height < 1 or width < 1:
        raise PictureError(f"the picture is {width}x{height} pixels", _DAMAGED_HINT)
    if height * width > limits.max_pixels:
        raise _too_many_pixels(f"{width}x{height}", limits)


def _decode_webp(data: bytes) -> Picture | None:
    """Through OpenCV, since Pillow holds the interpreter lock while it copies pixels; None if it cannot."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, dst=bgr)


def _to_rgb(image: Image.Image) -> Picture:
    image.load()
    if image.mode.startswith("I;16"):
        high_byte = (np.asarray(image) >> 8).astype(np.uint8)
        return np.repeat(high_byte[:, :, None], 3, axis=2)
    if image.mode in {"I", "F"}:
        raise PictureError("the picture has 32-bit pixels", "save it with 8 bits per channel")
    # Pillow would warn that a palette's transparency is lost. It is dropped on purpose.
    image.info.pop("transparency", None)
    return _pixels(image.convert("RGB"))


def _pixels(image: Image.Image) -> Picture:
    """Strip by strip: Pillow copies pixels while holding the interpreter lock, and other threads wait."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        pixels[top : top + rows] = np.asarray(strip)
    return pixels


def _turned(stored: Picture, turn: int) -> Picture:
    """Apply the EXIF orientation: 5 to 8 swap the axes, the others only flip them (EXIF 2.32, tag 274)."""
    pixels = stored.transpose(1, 0, 2) if swaps_axes(turn) else stored
    upside_down, mirrored = turn in {3, 4, 7, 8}, turn in {2, 3, 6, 7}
    pixels = pixels[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
    return np.ascontiguousarray(pixels)


def _too_many_bytes(count: int, limits: PictureLimits) -> PictureError:
    return PictureError(f"the file has {count} bytes, more than {limits.max_bytes}", "send a smaller file")


def _too_many_pixels(size: str, limits: PictureLimits) -> PictureError:
    return PictureError(
        f"the picture has {size} pixels; at most {limits.max_pixels} are decoded", "scale it down first"
    )
