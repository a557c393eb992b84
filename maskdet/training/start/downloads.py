"""Downloading a file once: complete, checked, resumable, and by one process at a time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from filelock import FileLock

from maskdet.errors import EnvironmentProblem
from maskdet.progress import Counter, Track, silent
from maskdet.training.start.published import CACHE_VARIABLE, MIRROR_VARIABLE

MAX_BYTES = 256 * 2**20
"""Largest file in bytes; the largest published PicoDet has 24 MB."""
WAITS = (1.0, 2.0, 4.0)
"""Seconds before each retry. An attempt that made progress starts over."""
_TIMEOUT = httpx.Timeout(30.0, connect=15.0)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


def download(url: str, target: Path, *, track: Track = silent, waits: Sequence[float] = WAITS) -> None:
    """Download an http(s) URL to `target`, unless it exists or another process is downloading it.

    Raises EnvironmentProblem if that fails, with what the user can do instead.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if not target.is_file():
                _Download(url, target, track).run(list(waits))
    except OSError as error:
        raise EnvironmentProblem(
            f"{target} cannot be written: {error.strerror or error}",
            f"fix that, or set {CACHE_VARIABLE} to another folder",
        ) from error


class _Passing(Exception):
    """A fault that a retry may fix."""


class _Lasting(Exception):
    """A fault that no retry would fix."""


class _Download:
    """One download: the part received so far is beside the target, with the version that it belongs to."""

    def __init__(self, url: str, target: Path, track: Track) -> None:
        self._url, self._target, self._track = url, target, track
        self._part = target.with_name(f"{target.name}.part")
        self._version = target.with_name(f"{target.name}.part.version")
        self._counter: Counter | None = None

    def run(self, waits: list[float]) -> None:
        left = list(waits)
        while True:
            before = self._arrived
            try:
                self._receive()
            except (_Passing, _Lasting, httpx.HTTPError, httpx.InvalidURL) as error:
                if self._arrived > before:
                    left = list(waits)
                if not _may_pass(error) or not left:
                    raise self._failure(error) from error
                time.sleep(left.pop(0))
            else:
                self._part.replace(self._target)
                self._version.unlink(missing_ok=True)
                return

    def _receive(self) -> None:
        hooks = {"request": [self._refuse_plain]}
        with (
            httpx.Client(follow_redirects=True, timeout=_TIMEOUT, event_hooks=hooks) as client,
            client.stream("GET", self._url, headers=self._wanted()) as response,
        ):
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise self._useless("the server has no such range")
            response.raise_for_status()
            self._store(response)
            self._check(response)

    def _refuse_plain(self, request: httpx.Request) -> None:
        if self._url.startswith("https:") and request.url.scheme != "https":
            raise _Lasting(f"it is redirected to {request.url}, which is not encrypted")

    def _wanted(self) -> dict[str, str]:
        # With compression, neither length nor range would be those of the file.
        headers = {"Accept-Encoding": "identity"}
        version = self._version.read_text(encoding="latin1") if self._version.is_file() else ""
        if self._arrived and version:
            headers |= {"Range": f"bytes={self._arrived}-", "If-Range": version}
        return headers

    def _store(self, response: httpx.Response) -> None:
        start = self._start(response)
        total = start + int(response.headers.get("Content-Length", 0))
        _refuse_huge(total)
        self._counter = self._counter or Counter(
            self._track, total >> 10, f"downloading {self._target.name} (KiB)"
        )
        self._version.write_text(_version(response), encoding="latin1")
        with self._part.open("ab" if start else "wb") as sink:
            for block in response.iter_raw():
                _refuse_huge(sink.tell() + len(block))
                sink.write(block)
                self._counter.advance(sink.tell() >> 10)

    def _start(self, response: httpx.Response) -> int:
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            return 0
        if not response.headers.get("Content-Range", "").startswith(f"bytes {self._arrived}-"):
            raise self._useless("the server sent a different range than requested")
        return self._arrived

    def _check(self, response: httpx.Response) -> None:
        """By the server's own MD5, as PaddleDetection does; the length was checked on arrival."""
        expected = _md5(response.headers.get("Content-MD5", ""))
        found = _md5_file(self._part)
        if expected and found != expected:
            raise self._useless(f"the download has MD5 {found}, the server's file {expected}")

    def _useless(self, reason: str) -> _Passing:
        self._part.unlink(missing_ok=True)
        return _Passing(reason)

    @property
    def _arrived(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _failure(self, error: Exception) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"{self._url} cannot be downloaded: {_reason(error)}",
            f"try again (the part received is kept), put the file at {self._target} by hand, set a "
            f"mirror with {MIRROR_VARIABLE}, or set model.pretrained to the path of a file or to none",
        )


def _may_pass(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _PASSING
    if isinstance(error, httpx.UnsupportedProtocol):
        return False
    return isinstance(error, (_Passing, httpx.TransportError))


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"the server returned {error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__


def _version(response: httpx.Response) -> str:
    """The version of a part, for If-Range; a weak ETag is not enough (RFC 9110, 13.1.5)."""
    tag: str = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _refuse_huge(size: int) -> None:
    if size > MAX_BYTES:
        raise _Lasting(f"it is larger than {MAX_BYTES >> 20} MiB")


def _md5_file(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _md5(header: str) -> str:
    """Content-MD5 is base64 (RFC 1864). Empty if it is missing or invalid."""
    try:
        return base64.b64decode(header.strip('"'), validate=True).hex()
    except (binascii.Error, ValueError):
        return ""
