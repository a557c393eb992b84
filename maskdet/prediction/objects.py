"""Pictures in an object store, read through pyarrow; only those that the user names.

Keys and endpoints come from the environment, such as AWS_ACCESS_KEY_ID, AWS_REGION and AWS_ENDPOINT_URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from maskdet.detector.picture import PICTURE_SUFFIXES, DecodedPicture, PictureLimits, decode_reduced
from maskdet.errors import PictureError, UsageError
from maskdet.extras import require

SCHEMES: Final = ("s3", "gs", "file")
_MARK: Final = "://"
_LIMITS: Final = PictureLimits()


def is_address(name: str) -> bool:
    """True for s3://bucket/key and the like, false for a path."""
    return _MARK in name


def list_objects(address: str) -> Iterator[tuple[str, Path]]:
    """The pictures at and below an address, sorted, each with its place below it. Raises UsageError."""
    scheme, _, _ = address.partition(_MARK)
    system, place = _located(address)
    try:
        found = list(_files(system, place))
    except (OSError, ValueError) as error:
        raise UsageError(f"{address}: {error}", "check it, and the keys in the environment") from error
    if not found:
        raise UsageError(f"{address}: there is no picture below it", "check the address")
    for path in sorted(found):
        below = PurePosixPath(path).name if path == place else PurePosixPath(path).relative_to(place)
        yield f"{scheme}{_MARK}{path}", _inside(Path(below), f"{scheme}{_MARK}{path}")


def _inside(below: Path, address: str) -> Path:
    """The place that a key gives a result, which an object's owner could else lead out of the folder."""
    if ".." in PureWindowsPath(below).parts or below.anchor:
        raise UsageError(f"{address}: its key leads out of the folder of the results", "rename the object")
    return below


def read_object(address: str, *, at_least: tuple[int, int] | None) -> DecodedPicture:
    """`decode_reduced` of an object. Raises PictureError."""
    system, place = _located(address)
    try:
        with system.open_input_stream(place) as stream:
            data = stream.read(_LIMITS.max_bytes + 1)
    except (OSError, ValueError) as error:
        raise PictureError(f"{address}: it cannot be read: {error}", "check the address") from error
    return decode_reduced(data, _LIMITS, at_least=at_least)


def _files(system: Any, place: str) -> Iterator[str]:
    """The place itself if it is an object, else all pictures below it."""
    from pyarrow import fs

    if system.get_file_info(place).type == fs.FileType.File:
        yield place
        return
    for each in system.get_file_info(fs.FileSelector(place, recursive=True)):
        if each.type == fs.FileType.File and PurePosixPath(each.path).suffix.lower() in PICTURE_SUFFIXES:
            yield each.path


def _located(address: str) -> tuple[Any, str]:
    """The file system, and the place in it: bucket/key, or an absolute path."""
    scheme, _, rest = address.partition(_MARK)
    if scheme not in SCHEMES:
        known = ", ".join(f"{each}{_MARK}" for each in SCHEMES)
        raise UsageError(f"{address}: {scheme}{_MARK} cannot be read", f"known here: {known}")
    place = rest.rstrip("/")
    bucket = "" if scheme == "file" else place.partition("/")[0]
    return _file_system(scheme, bucket), place


@lru_cache(maxsize=16)
def _file_system(scheme: str, bucket: str) -> Any:
    require("ray", "pyarrow", asks=f"{scheme}{_MARK} addresses need")
    from pyarrow import fs

    try:
        return fs.FileSystem.from_uri(f"{scheme}{_MARK}{bucket or '/'}")[0]
    except (OSError, ValueError) as error:
        raise UsageError(f"{scheme}{_MARK}{bucket}: {error}", "check the address") from error
