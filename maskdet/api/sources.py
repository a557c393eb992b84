"""The forms of a picture in Python: a path, encoded bytes, a Pillow image, a numpy array."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskdet.detector.picture import DecodedPicture, PictureLimits, decode_reduced, from_image, read_reduced
from maskdet.errors import PictureError
from maskdet.prediction.sources import VIDEO_SUFFIXES
from maskdet.types import Picture


@runtime_checkable
class SupportsRead(Protocol):
    """An open binary file, or what reads like one."""

    def read(self) -> bytes | str: ...


Rereadable: TypeAlias = (
    str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | NDArray[np.uint8 | np.uint16]
)
"""What gives the same picture each time."""
PictureLike: TypeAlias = Rereadable | SupportsRead
"""See `MaskDetector` for what each means."""

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_KINDS: Final = "pass a path, the bytes of a picture file, a Pillow image or a numpy array"
_CHANNELS: Final = (1, 3, 4)


def rereadable(source: PictureLike) -> Rereadable:
    """The content of an open file, which is at its end once it was read; anything else as it is.

    Raises PictureError if the file is open as text.
    """
    if isinstance(source, os.PathLike) or not isinstance(source, SupportsRead):
        return source
    content = None if isinstance(source, io.TextIOBase) else source.read()
    if not isinstance(content, bytes):
        raise PictureError("the file is open as text", 'open it in binary mode: open(path, "rb")')
    return content


def pixels_of(source: Rereadable) -> Picture:
    """The picture upright, uint8 [height, width, 3] RGB. Raises PictureError for anything else."""
    return decoded(source, at_least=None).pixels


def decoded(source: Rereadable, *, at_least: tuple[int, int] | None) -> DecodedPicture:
    """As `pixels_of`; large JPEG files at a fraction of their size, as `decode_reduced` does."""
    if isinstance(source, str | os.PathLike):
        return read_reduced(path_of(source), at_least=at_least)
    if isinstance(source, bytes | bytearray | memoryview):
        return decode_reduced(bytes(source), at_least=at_least)
    if isinstance(source, Image.Image):
        return _whole(from_image(source))
    if isinstance(source, np.ndarray):
        return _whole(_from_array(source))
    raise PictureError(f"an object of type {type(source).__name__} is not a picture", _KINDS)


def _whole(pixels: Picture) -> DecodedPicture:
    return DecodedPicture(pixels, (pixels.shape[0], pixels.shape[1]))


def file_of(source: Rereadable) -> str | None:
    """The path as shown in results, with forward slashes; None for anything but a file."""
    return Path(source).as_posix() if isinstance(source, str | os.PathLike) else None


def path_of(source: str | os.PathLike[str], *, video: bool = False) -> Path:
    """Raises PictureError for a URL, a folder, or a video where a picture is expected."""
    text = os.fspath(source)
    if _ADDRESS.match(text):
        raise PictureError(f"{text}: URLs are not fetched", "download it, and pass its bytes or its path")
    path = Path(text)
    if path.is_dir():
        raise PictureError(f"{path} is a folder", 'pass its files, such as Path(...).glob("*.jpg")')
    if not video and path.suffix.lower() in VIDEO_SUFFIXES:
        raise PictureError(f"{path} is a video", "pass it to detector.video(...)")
    return path


def _from_array(array: NDArray[Any]) -> Picture:
    """As pictures in files: grey becomes RGB, alpha is dropped, 16-bit values keep the high byte."""
    shape = "x".join(map(str, array.shape))
    if array.dtype not in (np.uint8, np.uint16):
        raise PictureError(
            f"an array of {array.dtype} is not a picture: its range is unknown",
            'pass uint8 from 0 to 255; for floats from 0 to 1, (array * 255).round().astype("uint8")',
        )
    planes = array[:, :, None] if array.ndim == 2 else array
    if planes.ndim != 3 or planes.shape[2] not in _CHANNELS or not planes.size:
        raise PictureError(
            f"an array of {shape or 'no dimension'} is not a picture",
            "pass [height, width, 3] in RGB; several pictures as a list of such arrays",
        )
    limit = PictureLimits().max_pixels
    if planes.shape[0] * planes.shape[1] > limit:
        raise PictureError(f"the array is {shape}; at most {limit} pixels are allowed", "scale it down first")
    if planes.dtype == np.uint16:
        planes = (planes >> 8).astype(np.uint8)
    colours = np.repeat(planes, 3, axis=2) if planes.shape[2] == 1 else planes[:, :, :3]
    return np.ascontiguousarray(colours)
