"""Names that people give: to runs, to folders of a data set, to registered and to served models.

Each becomes a part of paths, of addresses or of commands, so all have the same few characters.
"""

from __future__ import annotations

import re
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
    return _OTHERS.sub("-", folder.resolve().name).strip("-._")[:64] or otherwise
