"""API keys at rest: only their hashes are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from maskdet.errors import UsageError


def hash_key(key: str) -> str:
    """What the settings hold in place of a key: its sha256 as hex. Keys should be long and random."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_keys(path: Path) -> list[str]:
    """The keys of a file, one per line; empty lines and those that start with # are ignored.

    Raises UsageError.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read: {error}", "pass a text file with one key per line"
        ) from error
    keys = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not keys:
        raise UsageError(f"{path}: has no API key", "write one key per line, or leave --api-key-file out")
    return keys
