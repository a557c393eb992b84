"""Names of pictures: from their bytes, never from a client."""

from __future__ import annotations

import hashlib

NAME_LENGTH = 16
"""Characters of the picture's sha256 in the names of its files."""


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
