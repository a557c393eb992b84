"""File names for formats whose folders are flat: one level, each stem once."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from maskdet.dataset.formats.labelled import LabelledPicture
from maskdet.errors import DatasetError


def flat_names(pictures: Sequence[LabelledPicture], *, by_part: bool) -> list[str]:
    """A name for each picture, in order: its own, or where stems clash its whole path joined with `-`.

    `by_part`: parts have folders of their own. Stems are compared as file systems do that ignore case.
    Raises DatasetError if two names cannot be told apart.
    """
    scopes = [picture.part if by_part else "" for picture in pictures]
    names = [PurePosixPath(picture.name).name for picture in pictures]
    for spell in (_joined, _with_suffix):
        clashing = _clashing(scopes, names)
        names = [
            spell(picture) if (scope, _stem(name)) in clashing else name
            for picture, scope, name in zip(pictures, scopes, names, strict=True)
        ]
    if clashing := _clashing(scopes, names):
        same = [p.name for p, s, n in zip(pictures, scopes, names, strict=True) if (s, _stem(n)) in clashing]
        raise DatasetError(f"{' and '.join(same[:2])} would get the same name", "rename one of them")
    return names


def _joined(picture: LabelledPicture) -> str:
    parts = [part for part in (picture.part, *PurePosixPath(picture.name).parts) if part]
    return "-".join(dict.fromkeys(parts[:-1])) + ("-" if parts[1:] else "") + parts[-1]


def _with_suffix(picture: LabelledPicture) -> str:
    """a-png.png, beside a picture a.jpg."""
    name = PurePosixPath(_joined(picture))
    return f"{name.stem}-{name.suffix.removeprefix('.')}{name.suffix}"


def _clashing(scopes: Sequence[str], names: Sequence[str]) -> set[tuple[str, str]]:
    counts = Counter(zip(scopes, map(_stem, names), strict=True))
    return {key for key, number in counts.items() if number > 1}


def _stem(name: str) -> str:
    return unicodedata.normalize("NFC", PurePosixPath(name).stem).casefold()
