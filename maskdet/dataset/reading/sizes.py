"""The size of a picture, and whether an annotation was made for a picture of that size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from maskdet.dataset.findings import Collector
from maskdet.detector.exif import UPRIGHT, read_orientation, swaps_axes
from maskdet.detector.picture import PictureLimits
from maskdet.errors import PictureError

Size = tuple[int, int]
"""(height, width) in pixels."""

NO_SIZE: Final = (0, 0)
"""What an annotation claims that gives no size."""
_FORMATS: Final = ("JPEG", "PNG", "BMP", "WEBP")


@dataclass(frozen=True, slots=True)
class PictureSize:
    """`upright` is after the turn by the EXIF `orientation`, 1..8; boxes refer to the upright picture."""

    upright: Size
    orientation: int

    @property
    def stored(self) -> Size:
        """Before the turn."""
        return _turned(self.upright, self.orientation)

    def __str__(self) -> str:
        turned = "" if self.orientation == UPRIGHT else " after its EXIF turn"
        return f"{_shown(self.upright)}{turned}"


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
    return PictureSize(_turned(stored, turn), turn)


def fits_picture(claimed: Size, size: PictureSize, report: Collector) -> bool:
    """Whether an annotation that claims a size (NO_SIZE: none) is of the picture; else a finding says why."""
    if claimed in {NO_SIZE, size.upright}:
        return True
    said = f"the annotation says {_shown(claimed)}, the picture is {size}"
    if claimed == size.stored:
        hint = "rotate the picture's pixels, remove its EXIF orientation, or annotate it again"
        report.add("size-unturned", said, hint)
    else:
        hint = "the picture was resized, or the annotation is another picture's"
        report.add("size-mismatch", said, hint)
    return False


def note_turn(claimed: Size, size: PictureSize, report: Collector) -> None:
    """A notice where sizes do not tell whether the boxes of a turned picture were made after its turn."""
    told = claimed == size.upright != size.stored
    if size.orientation != UPRIGHT and not told:
        turn = f"EXIF turn (orientation {size.orientation})"
        message = f"the boxes may have been made before the picture's {turn}: sizes do not tell"
        hint = "look at them; if they lie wrong, remove the EXIF orientation, or annotate it again"
        report.add("turn-unclear", message, hint)


def _turned(size: Size, orientation: int) -> Size:
    return size[::-1] if swaps_axes(orientation) else size


def _shown(size: Size) -> str:
    height, width = size
    return f"{width} x {height}"
