"""Models that answer alike and have other bytes, for registries and for servers that change models."""

from __future__ import annotations


def commented(bundle: bytes, text: str) -> bytes:
    """The same model with its doc_string set: field 6 of ModelProto, at the end of the file."""
    return bundle + bytes([0x32, len(text)]) + text.encode()
