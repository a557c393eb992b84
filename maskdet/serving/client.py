"""A client of a running server: sends pictures in batches and returns one reply per picture."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from pydantic import ValidationError

from maskdet.detector.picture import PICTURE_SUFFIXES, SUFFIXES
from maskdet.drift.hour import CAMERA, CAMERA_RULE
from maskdet.drift.view import View
from maskdet.errors import ServingError, UsageError
from maskdet.system.files import visible_files

DETECT_PATH = "/v1/detect"
MONITOR_PATH = "/v1/monitor"
SECONDS = 60.0
"""How long a response may take."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's reply for one picture. milliseconds: its share of the request's time;
    faces: label and score, best first; error: why there is no result, empty if there is one.
    """

    file: Path
    milliseconds: float
    verdict: str = ""
    faces: tuple[tuple[str, float], ...] = ()
    bundle: str = ""
    error: str = ""


class Client:
    """One persistent connection to a server. Use it in a `with` block."""

    def __init__(self, url: str, api_key: str = "", camera: str = "") -> None:
        """url: the server's, such as http://127.0.0.1:8866. Raises UsageError."""
        if not CAMERA.fullmatch(camera):
            raise UsageError(f"{camera!r} is not the name of a camera", f"use {CAMERA_RULE}")
        address, host, port = _address(url)
        self._url = url
        self._base = address.path.rstrip("/").removesuffix(DETECT_PATH)
        further = {"x-api-key": api_key, "x-camera": camera}
        given = {name: value for name, value in further.items() if value}
        self._headers = {"content-type": "application/json", **given}
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
            if address.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=SECONDS)
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def detect(self, files: Sequence[Path], batch_size: int = 1) -> Iterator[Reply]:
        """A reply for each file, in order. Raises ServingError if the server is down or refuses all."""
        left = iter(files)
        while batch := list(islice(left, batch_size)):
            yield from self._batch(batch)

    def histories(self, hours: int) -> list[View]:
        """What the server has seen in the last hours, by model. Raises ServingError."""
        first = self._history(hours, "")
        return [first, *(self._history(hours, name) for name in first.models if name != first.model)]

    def _history(self, hours: int, model: str) -> View:
        query = urlencode({"hours": hours, **({"model": model} if model else {})})
        status, answer = self._exchange("GET", f"{MONITOR_PATH}?{query}")
        if status != http.client.OK:
            said = answer.get("error", {})
            raise ServingError(
                f"{self._url}: {said.get('message', f'status {status}')}", said.get("hint", "")
            )
        try:
            return View.model_validate(answer)
        except ValidationError as error:
            raise ServingError(
                f"{self._url} answers in another form", "use the maskdet release that the server runs"
            ) from error

    def _batch(self, files: Sequence[Path]) -> list[Reply]:
        found: dict[Path, bytes] = {}
        replies: dict[Path, Reply] = {}
        for file in files:
            read = _read(file)
            if isinstance(read, Reply):
                replies[file] = read
            else:
                found[file] = read
        if found:
            replies |= {reply.file: reply for reply in self._ask(found)}
        return [replies[file] for file in files]

    def _ask(self, pictures: dict[Path, bytes]) -> list[Reply]:
        body = json.dumps({"images": [base64.b64encode(data).decode() for data in pictures.values()]})
        started = time.perf_counter()
        status, answer = self._exchange("POST", DETECT_PATH, body)
        each = (time.perf_counter() - started) * 1000 / len(pictures)
        if "results" in answer:
            return [_reply(*pair, each) for pair in zip(pictures, answer["results"], strict=True)]
        said = answer.get("error", {})
        message = said.get("message", f"status {status}")
        # A picture's error belongs to that picture; a missing key or a full server affects them all.
        if len(pictures) == 1 and said.get("code") in ("bad_picture", "malformed_body", "no_picture"):
            return [Reply(file, each, error=message) for file in pictures]
        raise ServingError(f"{self._url}: {message} (status {status})", said.get("hint", ""))

    def _exchange(self, method: str, path: str, body: str | None = None) -> tuple[int, dict[str, Any]]:
        try:
            self._connection.request(method, self._base + path, body, self._headers)
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException) as error:
            raise ServingError(
                f"{self._url} does not answer: {error}", "start it with `maskdet serve`, or pass its URL"
            ) from error
        except ValueError as error:
            raise ServingError(
                f"{self._url} answers, but not as maskdet does",
                "pass the URL that `maskdet serve` printed",
            ) from error
        return response.status, answer if isinstance(answer, dict) else {}


def _address(url: str) -> tuple[SplitResult, str, int | None]:
    """The parts of a URL, its host and its port. Raises UsageError."""
    try:
        address = urlsplit(url)
        host, port = address.hostname or "", address.port
        # A name that no request could be sent to.
        host.encode("idna")
    except ValueError:
        host = ""
    if not host or address.scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise UsageError(f"{url!r} is not the URL of a server", "for example http://127.0.0.1:8866")
    return address, host, port


def pictures_in(paths: Sequence[Path]) -> list[Path]:
    """The given files, and the pictures in the given folders and in those linked there, sorted, but for
    hidden ones.

    Raises UsageError if there are none.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(filter(_is_picture, visible_files(path)))
        elif path.exists():
            found.append(path)
        else:
            raise UsageError(f"{path}: no such file or folder", "pass pictures, or folders of pictures")
    if not found:
        raise UsageError("there are no pictures", f"pictures end in {', '.join(sorted(SUFFIXES))}")
    return list(dict.fromkeys(found))


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()


def _read(file: Path) -> bytes | Reply:
    try:
        return file.read_bytes()
    except OSError as error:
        return Reply(file, 0, error=f"{error.strerror or error}")


def _reply(file: Path, entry: dict[str, Any], milliseconds: float) -> Reply:
    if "error" in entry:
        return Reply(file, milliseconds, error=entry["error"]["message"])
    return Reply(
        file,
        milliseconds,
        verdict=entry["verdict"]["outcome"],
        faces=tuple((one["label"], one["score"]) for one in entry["detections"]),
        bundle=entry["model"]["bundle"],
    )
