"""The user's arguments as pictures and videos: files, folders and globs."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final, Literal

from maskdet.detector.picture import PICTURE_SUFFIXES, SUFFIXES
from maskdet.errors import UsageError
from maskdet.prediction.objects import is_address, list_objects
from maskdet.system.files import is_hidden, visible_files

VIDEO_SUFFIXES: Final = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv"})
"""File name suffixes, lower case, that are read frame by frame."""

_DRAWN_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


@dataclass(frozen=True, slots=True)
class Source:
    """One input file. `drawn` is the name of its drawn copy, relative and unique; `below` is its own path,
    relative to the folder, to the fixed part of the glob, or to the prefix of the object store.
    """

    path: Path
    kind: Literal["picture", "video"]
    drawn: PurePath
    below: PurePath
    address: str = ""
    """Of an object in an object store, such as s3://bucket/key; empty for a file."""

    @property
    def name(self) -> str:
        """As the results show it."""
        return self.address or self.path.as_posix()


def find_sources(named: Sequence[str], *, leave_out: Path) -> list[Source]:
    """The files behind the names, in the given order, folders and globs sorted, each file once.

    A folder gives all pictures and videos below it, in linked folders and of formats that are not decoded
    too, except hidden ones and those below `leave_out` (where drawn copies go). A file is accepted whatever
    its suffix. Raises UsageError for a name that yields nothing.
    """
    sources: list[Source] = []
    seen: set[Path] = set()
    drawn: set[str] = set()
    for address, key in _objects(named):
        sources.append(Source(key, "picture", _unused(_drawn_name(key, "picture"), drawn), key, address))
    files = [name for name in named if not is_address(name)]
    for path, name in _named_files(files, leave_out.resolve()) if files or not named else ():
        resolved = path.resolve()
        if resolved not in seen:
            seen.add(resolved)
            kind: Literal["picture", "video"] = "video" if _is_video(path) else "picture"
            sources.append(Source(path, kind, _unused(_drawn_name(name, kind), drawn), name))
    return sources


def read_list(file: Path) -> list[str]:
    """The names in a text file, one a line; empty lines are left out. Raises UsageError."""
    try:
        lines = file.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "pass a text file with one picture a line") from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise UsageError(f"{file}: it names no picture", "write one path or address per line")
    return names


def _objects(named: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Each object once, by its address, with its place below the prefix that was named."""
    seen: set[str] = set()
    for name in named:
        if is_address(name):
            for address, key in list_objects(name):
                if address not in seen:
                    seen.add(address)
                    yield address, key


def _named_files(named: Sequence[str], leave_out: Path) -> Iterator[tuple[Path, PurePath]]:
    """Each file with its name in the results: relative to the folder or to the fixed part of the glob."""
    if not named or not all(named):
        what = "an empty name was given" if named else "no picture, folder or video was given"
        raise UsageError(what, "pass the paths of pictures, folders or videos")
    for name in named:
        path = Path(name)
        if path.is_file():
            yield path, PurePath(path.name)
            continue
        root, found = (path, visible_files(path)) if path.is_dir() else _globbed(name)
        media = sorted(_visible_media(found, root))
        below = [file for file in media if leave_out not in file.resolve().parents]
        if not below:
            raise _only_copies(name, leave_out) if media else _nothing(name)
        yield from ((file, file.relative_to(root)) for file in below)


def _globbed(pattern: str) -> tuple[Path, Iterable[Path]]:
    parts = Path(pattern).parts
    fixed = next((place for place, part in enumerate(parts) if glob.has_magic(part)), None)
    if fixed is None:
        raise _nothing(pattern)
    root = Path(*parts[:fixed])
    try:
        return root, list(root.glob(str(PurePath(*parts[fixed:]))))
    except ValueError as error:
        raise UsageError(f"{pattern}: {error}", "use ** only by itself between two slashes") from error


def _visible_media(paths: Iterable[Path], root: Path) -> Iterator[Path]:
    for path in paths:
        known = path.suffix.lower() in PICTURE_SUFFIXES or _is_video(path)
        if known and not is_hidden(path.relative_to(root)) and path.is_file():
            yield path


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _drawn_name(name: PurePath, kind: Literal["picture", "video"]) -> PurePath:
    if kind == "video":
        return name.with_suffix(".mp4")
    # Suffixes that are not written (GIF, TIFF) stay visible: two.tiff becomes two.tiff.png.
    return name if name.suffix.lower() in _DRAWN_SUFFIXES else name.with_name(f"{name.name}.png")


def _unused(name: PurePath, taken: set[str]) -> PurePath:
    """The name, or the name with -2, -3, ...; a.jpg and A.JPG are the same file on some systems."""
    number, free = 1, name
    while free.as_posix().casefold() in taken:
        number += 1
        free = name.with_stem(f"{name.stem}-{number}")
    taken.add(free.as_posix().casefold())
    return free


def _only_copies(name: str, leave_out: Path) -> UsageError:
    return UsageError(
        f"{name}: its pictures and videos are left out: drawn copies go to {leave_out}",
        "choose another folder with --out",
    )


def _nothing(name: str) -> UsageError:
    if Path(name).is_dir():
        endings = ", ".join(sorted(SUFFIXES | VIDEO_SUFFIXES))
        return UsageError(
            f"{name}: there is no picture or video in this folder", f"known suffixes: {endings}"
        )
    return UsageError(
        f"{name}: no such picture or video", "check the spelling; a glob needs quotes around it"
    )
