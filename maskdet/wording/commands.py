"""Commands that a message tells people to copy."""

from __future__ import annotations

import shlex
from pathlib import Path


def command_line(*words: str | Path) -> str:
    """Such as `maskdet run 'our data.yml'`: each word is quoted where a shell would split or change it."""
    return shlex.join(["maskdet", *map(str, words)])
