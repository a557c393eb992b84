"""The size of a picture, and whether an annotation was made for a picture of that size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from maskdet.dataset.findings import Collector
from maskdet.detector.exif import read_orientation
from maskdet.detector.picture import PictureLimits
from maskdet.errors import PictureError

Size = tuple[int, int]
"""(height, width) in pixels."""

_FORMATS: Final = ("JPEG", "PNG", "BMP", "WEBP")
_TRANSPOSED: Final = 5  # EXIF orientations from here on swap the axes


@dataclass(frozen=True, slots=True)
class PictureSize:
    """`upright` is after the EXIF turn, `stored` before; boxes refer to the upright picture."""

    upright: Size
    stored: Size


def read_size(path: Path) -> PictureSize:
    """The size from the file's header; only PNG, which may keep its EXIF block last, is decoded.

    Raises PictureError for a file that is not a JPEG, PNG, BMP or WebP picture, or has too many pixels.
    """
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            stored = (picture.height, picture.width)
            if stored[0] * stored[1] > PictureLimits().max_pixels:
                raise PictureError(f"the picture has {_shown(stored)} pixels, too many to be decoded")
            if picture.format == "PNG":
                picture.load()
            turn = read_orientation(picture.info.get("exif", b""))
    except UnidentifiedImageError as error:
        raise PictureError("it is not a JPEG, PNG, BMP or WebP picture") from error
    except PictureError:
        raise
    # Pillow raises a dozen kinds of exception on hostile bytes, and warns of huge pictures.
    except Exception as error:
        raise PictureError(f"it cannot be read: {error}") from error
    return PictureSize(stored[::-1] if turn >= _TRANSPOSED else stored, stored)


def fits_picture(claimed: Size, size: Size, stored: Size, report: Collector) -> bool:
    """Whether an annotation that claims a size (zeros: none) is of the picture; else a finding says why.

    `size` is the picture's after its EXIF turn, `stored` before.
    """
    if claimed in {(0, 0), size}:
        return True
    said = f"the annotation says {_shown(claimed)}, the picture is {_shown(size)}"
    if claimed == stored:
        hint = "rotate the picture's pixels, remove its EXIF orientation, or annotate it again"
        report.add("size-unturned", f"{said} after its EXIF turn", hint)
    else:
        hint = "the picture was resized, or the annotation is another picture's"
        report.add("size-mismatch", said, hint)
    return False


def _shown(size: Size) -> str:
    height, width = size
    return f"{width} x {height}"
