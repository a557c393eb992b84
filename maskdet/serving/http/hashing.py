"""API keys at rest: only their hashes are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from maskdet.errors import UsageError

_HINT = "use a long random string, such as the output of `openssl rand -hex 24`"


def hash_key(key: str) -> str:
    """What the settings hold in place of a key: its sha256 as hex. Keys should be long and random."""
    return hashlib.sha256(key.encode()).hexdigest()


def check_key(key: str, place: str) -> None:
    """Raises UsageError, naming the place and not the key, for one that no request can carry."""
    if not key:
        raise UsageError(f"{place} is empty", _HINT)
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        raise UsageError(f"{place} has characters that are not ASCII, or blanks around it", _HINT)


def read_keys(path: Path) -> list[str]:
    """The keys of a file, one per line; empty lines and those that start with # are ignored.

    Raises UsageError.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read: {error}", "pass a text file with one key per line"
        ) from error
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    keys = [(number, key) for number, key in lines if key and not key.startswith("#")]
    for number, key in keys:
        check_key(key, f"{path}:{number}: the API key")
    if not keys:
        raise UsageError(f"{path}: has no API key", "write one key per line, or leave --api-key-file out")
    return [key for _, key in keys]
