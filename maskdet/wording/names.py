"""Names that people give to runs, to folders of a data set and to models; and what a misspelt name may mean.

Each becomes a part of paths, of addresses or of commands, so all have the same few characters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
RULE: Final = "letters, digits, dots, dashes and underscores, at most 64, a letter or digit first"
"""`PATTERN` in words."""

_NAME: Final = re.compile(PATTERN)
_OTHERS: Final = re.compile(r"[^A-Za-z0-9._-]+")


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def name_of(folder: Path, otherwise: str) -> str:
    """A name like the folder's; `otherwise` if nothing of that can be in a name."""
    return name_in(folder.resolve().name) or otherwise


def name_in(text: str) -> str:
    """What of the text can be in a name; "" if nothing."""
    return _OTHERS.sub("-", text).strip("-._")[:64]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most likely meant by a misspelt one, by difflib's ratio, or None."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question whether the nearest name is meant; "" if none is near."""
    near = nearest(name, known)
    return f"did you mean {near}?" if near else ""


def write_instead(name: str, known: Collection[str]) -> str:
    """The next step after an unknown name: write the nearest one, or any of them."""
    return f"write {nearest(name, known) or ' or '.join(known)}"
