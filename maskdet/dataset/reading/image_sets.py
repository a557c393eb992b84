"""ImageSets/Main: the lists that say which pictures of a VOC folder train, validate and test."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal, get_args

from maskdet.dataset.findings import Finding, clean
from maskdet.dataset.reading.layout import Pair
from maskdet.dataset.reading.pictures import FORMATS
from maskdet.dataset.settings import NamedRoot
from maskdet.errors import DatasetError

LISTS: Final = "ImageSets/Main"
ListedPart = Literal["train", "val", "test"]
LISTED_PARTS: Final[tuple[ListedPart, ...]] = get_args(ListedPart)
_BOTH: Final = "trainval"
_MOST: Final = 16 * 1024 * 1024
"""Bytes of a list; a larger file is none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: a picture's name without its suffix, in `file`:`line`."""

    stem: str
    part: ListedPart
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ImageSets:
    """The pairs in use, the part of each by its picture, and findings about the lists.

    A folder without lists has all its pairs and no parts; otherwise a picture is in use if one list has it.
    """

    pairs: tuple[Pair, ...]
    parts: Mapping[str, ListedPart]
    findings: tuple[Finding, ...]


def read_image_sets(root: Path, pairs: Sequence[Pair]) -> ImageSets:
    """Which of the `pairs` is in which list. Raises DatasetError for a list that cannot be read."""
    stems = _stems(root, pairs)
    entries = read_entries(root, stems)
    if not entries:
        return ImageSets(tuple(pairs), {}, ())
    firsts: dict[str, Entry] = {}
    for entry in entries:
        firsts.setdefault(entry.stem, entry)
    double = [entry for entry in entries if firsts[entry.stem].part != entry.part]
    unusable = {entry.stem for entry in double}
    names = {pair.picture: _composed(PurePosixPath(pair.picture).stem) for pair in pairs}
    findings = [
        *(_double(entry, firsts[entry.stem]) for entry in double),
        *_unknown(stems, firsts),
        *(_unlisted(picture) for picture, stem in names.items() if stem not in firsts),
    ]
    listed = firsts.keys() - unusable
    parts = {picture: firsts[stem].part for picture, stem in names.items() if stem in listed}
    return ImageSets(tuple(pair for pair in pairs if pair.picture in parts), parts, tuple(findings))


def image_sets_of(root: NamedRoot, pairs: Sequence[Pair], method: str) -> ImageSets:
    """The lists if they decide for this root; if not, a notice about those that nothing follows.

    Raises DatasetError if they decide and there are none, or one cannot be read.
    """
    if method != "lists" or root.part != "split":
        return ImageSets(tuple(pairs), {}, tuple(_unfollowed(root, pairs)))
    sets = read_image_sets(root.root, pairs)
    if not (sets.parts or sets.findings):
        what = f"{root.root / LISTS} has no train.txt and val.txt, which data.split.method: lists follows"
        hint = "write them, one picture's name without its suffix a line; choose another method; or give "
        raise DatasetError(what, f"{hint}the folder a part of its own in data.roots")
    return sets


def read_entries(root: Path, stems: Set[str]) -> tuple[Entry, ...]:
    """The lines of train.txt, val.txt and test.txt. Raises DatasetError for a list that cannot be read.

    `stems` are those of the pictures, composed: a name may begin or end with a space. Where one of train.txt
    and val.txt is missing, it is what trainval.txt has beyond the other.
    """
    lists = {part: list(_entries(root, part, part, stems)) for part in LISTED_PARTS}
    halves: tuple[tuple[ListedPart, ListedPart], ...] = (("train", "val"), ("val", "train"))
    for part, other in halves:
        if not lists[part]:
            taken = {entry.stem for entry in lists[other]}
            both = _entries(root, _BOTH, part, stems)
            lists[part] = [entry for entry in both if entry.stem not in taken]
    return tuple(entry for part in LISTED_PARTS for entry in lists[part])


def listed_counts(root: Path, pairs: Sequence[Pair]) -> Counter[ListedPart]:
    """Names in the lists by part. Raises DatasetError for a list that cannot be read."""
    entries = read_entries(root, _stems(root, pairs))
    return Counter({entry.stem: entry.part for entry in entries}.values())


def splits(counted: Mapping[ListedPart, int]) -> bool:
    """Whether lists with so many names say what trains and what validates."""
    return bool(counted.get("train") and counted.get("val"))


def shown(counted: Mapping[ListedPart, int]) -> str:
    """For people: "120 train, 30 val, 12 test"."""
    return ", ".join(f"{counted[part]} {part}" for part in LISTED_PARTS if counted.get(part))


def _entries(root: Path, name: str, part: ListedPart, stems: Set[str]) -> Iterator[Entry]:
    file = f"{LISTS}/{name}.txt"
    for number, line in enumerate(map(_composed, _lines(root / file)), start=1):
        if stem := line if line in stems else line.strip():
            yield Entry(stem, part, file, number)


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MOST:
            raise DatasetError(f"{path} is larger than {_MOST // 1024**2} MiB, so no list of pictures")
        # It also ends lines at other characters than "\n", but at none that `is_listable` lets into a name.
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read: {error}", "save it as UTF-8 text") from error


def _composed(stem: str) -> str:
    """As `layout` compares stems: macOS decomposes accented letters and Linux does not."""
    return unicodedata.normalize("NFC", stem)


def _stems(root: Path, pairs: Sequence[Pair]) -> set[str]:
    """Of all files beside the pictures of the pairs, also those that are bad for another reason."""
    folders = {(root / pair.picture).parent for pair in pairs}
    return {_composed(path.stem) for folder in folders for path in folder.iterdir()}


def _unfollowed(root: NamedRoot, pairs: Sequence[Pair]) -> Iterator[Finding]:
    with suppress(DatasetError):
        counted = listed_counts(root.root, pairs)
        if root.part != "val" and (counted["val"] or counted["test"]):
            done = "data.split deals them anew" if root.part == "split" else "`part: train` trains on all"
            also = ", the test pictures included" if counted["test"] else ""
            said = f"lists {shown(counted)} pictures; {done}{also}"
            yield Finding("lists-unused", LISTS, said, "data.split.method: lists keeps these parts")


def _double(entry: Entry, first: Entry) -> Finding:
    message = f"'{clean(entry.stem, 80)}' is in {first.part}.txt as well, line {first.line}"
    return Finding("list-double", entry.file, message, "remove it from one list", entry.line)


def _unknown(stems: Set[str], firsts: Mapping[str, Entry]) -> Iterator[Finding]:
    """Names that no picture has."""
    for stem, entry in firsts.items():
        if stem not in stems:
            name = PurePosixPath(stem)
            suffixed = name.suffix.lower() in FORMATS and name.stem in stems
            hint = "lists name pictures without their suffix" if suffixed else "remove the line"
            message = f"there is no picture '{clean(stem, 80)}'"
            yield Finding("list-unknown", entry.file, message, hint, entry.line)


def _unlisted(picture: str) -> Finding:
    return Finding("list-missing", picture, f"is in no list of {LISTS}", "add its name to one of them")
