"""Names of files: which of them the lists of a set can hold, and how any is shown."""

from __future__ import annotations

import unicodedata
from typing import Final

_UNLISTABLE: Final = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, bytes that are not UTF-8, and separators: all at which `str.splitlines` ends a line."""
WHY_UNLISTABLE: Final = "has control characters or line separators, or is not valid UTF-8"


def is_listable(name: str) -> bool:
    """Whether a list in UTF-8 can hold it, one name a line. Spaces of any width and joiners are ordinary."""
    return not any(unicodedata.category(character) in _UNLISTABLE for character in name)


def shown(name: str) -> str:
    """A name that every terminal and UTF-8 file can represent."""
    return name if name.isprintable() else ascii(name)[1:-1]
