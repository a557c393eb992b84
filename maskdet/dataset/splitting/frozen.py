"""The file of data.frozen_val: every picture that was ever val, and the pictures known to train.

It only grows. Person and git read it: one line for each picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from maskdet.dataset.likeness import HASH_DIGITS
from maskdet.dataset.manifest import Manifest
from maskdet.errors import DatasetError
from maskdet.system.files import write_text

ABOUT = "maskdet prepare appends to this file; commit it. Pictures listed in val never train again."
_KNOWN = 16
"""Digits of sha256 that name a picture known to train."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class FrozenPicture:
    """A picture that was val: path below its root, name of the root, hashes, and when it entered (UTC)."""

    picture: str
    root: str
    entered: str
    sha256: str
    phash: str


@dataclass(frozen=True, slots=True)
class FrozenVal:
    """`val` in the order of entry; `train`: the first digits of the sha256 of pictures known to train."""

    val: tuple[FrozenPicture, ...] = ()
    train: tuple[str, ...] = ()

    def knows_to_train(self, digests: Iterable[str]) -> set[str]:
        """Those of the sha256 that are known to train."""
        known = set(self.train)
        return {digest for digest in digests if digest[:_KNOWN] in known}

    def joined_by(self, manifest: Manifest) -> FrozenVal:
        """With the pictures of a split that are not in it yet."""
        entered = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        val = (
            FrozenPicture(each.picture, each.root, entered, each.sha256, each.phash)
            for each in manifest.part("val")
        )
        return self.joined(val, (each.sha256 for each in manifest.part("train")))

    def joined(self, val: Iterable[FrozenPicture], train: Iterable[str]) -> FrozenVal:
        """With those of `val`, and those of the sha256 in `train`, that are not in it yet."""
        listed = {each.sha256 for each in self.val}
        more = (each for each in val if each.sha256 not in listed)
        known = dict.fromkeys((*self.train, *(digest[:_KNOWN] for digest in train)))
        return replace(self, val=(*self.val, *more), train=tuple(known))

    def without_likeness(self, digests: Iterable[str]) -> FrozenVal:
        """Nothing of these pictures but their sha256: a perceptual hash is a small picture."""
        forgotten = set(digests)
        val = (replace(each, phash="") if each.sha256 in forgotten else each for each in self.val)
        return replace(self, val=tuple(val))

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        val = _lines(json.dumps(asdict(each), ensure_ascii=False) for each in self.val)
        train = _lines(json.dumps(each) for each in self.train)
        write_text(path, f'{{\n"about": {json.dumps(ABOUT)},\n"val": [{val}],\n"train": [{train}]\n}}\n')


def read_frozen(path: Path) -> FrozenVal:
    """Read the file; an empty list if there is none yet. Raises DatasetError if it is damaged."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return FrozenVal(tuple(_picture(each) for each in raw["val"]), _train(raw["train"]))
    except FileNotFoundError:
        return FrozenVal()
    except OSError as error:
        raise DatasetError(f"{path} (data.frozen_val) cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{path} (data.frozen_val) is damaged: {error}"
        raise DatasetError(what, "restore it from version control; without it, val is chosen anew") from error


def _lines(rows: Iterable[str]) -> str:
    joined = ",\n".join(rows)
    return f"\n{joined}\n" if joined else ""


def _picture(raw: dict[str, Any]) -> FrozenPicture:
    each = FrozenPicture(**raw)
    if not all(isinstance(value, str) for value in raw.values()):
        raise ValueError(f"{each.picture} has a value that is not text")
    if not _is_hex(each.sha256, 64) or (each.phash and not _is_hex(each.phash, HASH_DIGITS)):
        raise ValueError(f"the hashes of {each.picture} are not hashes")
    return each


def _train(raw: Sequence[str]) -> tuple[str, ...]:
    for each in raw:
        if not _is_hex(each, _KNOWN):
            raise ValueError(f"{each!r} in train is not a hash")
    return tuple(raw)


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and _HEX.issuperset(text)
