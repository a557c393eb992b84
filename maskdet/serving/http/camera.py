"""The tag by which a client tells its cameras apart."""

from __future__ import annotations

import logging
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import Request
from starlette.datastructures import Headers

from maskdet.drift.hour import CAMERA, CAMERA_RULE

HEADER: Final = "X-Camera"
OPTION: Final = "camera"
ABOUT: Final = f"Which camera the pictures are from: {CAMERA_RULE}. Any other name counts as none."
MOST_REPORTED: Final = 100
"""Malformed tags reported in the log. Clients choose them."""
MOST_SHOWN: Final = 80
"""Characters of one."""

logger = logging.getLogger("maskdet.server")


class CameraTags:
    """Reads clients' tags, and reports each malformed one once."""

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def of(self, request: Request) -> str:
        """The tag in the header, else in the query; empty if there is none, or a malformed one."""
        tag = _in_header(request.headers) or _in_query(request.scope["query_string"])
        if CAMERA.fullmatch(tag):
            return tag
        self._report(tag[:MOST_SHOWN])
        return ""

    def _report(self, tag: str) -> None:
        if tag not in self._reported and len(self._reported) < MOST_REPORTED:
            self._reported.add(tag)
            logger.warning("camera not counted", extra={"fields": {"camera": tag, "names": CAMERA_RULE}})


def camera_parameters() -> list[dict[str, Any]]:
    """The header and the option, for OpenAPI."""
    schema = {"type": "string", "pattern": f"^{CAMERA.pattern}$", "description": ABOUT}
    return [
        {"name": name, "in": place, "required": False, "schema": schema}
        for name, place in ((HEADER, "header"), (OPTION, "query"))
    ]


def _in_header(headers: Headers) -> str:
    # Read as Latin-1, but clients send UTF-8.
    return headers.get(HEADER, "").encode("latin-1").decode("utf-8", "replace")


def _in_query(query: bytes) -> str:
    """Some cameras can be told a URL and nothing else."""
    if OPTION.encode() not in query:
        return ""
    return parse_qs(query.decode("latin-1")).get(OPTION, [""])[-1]
