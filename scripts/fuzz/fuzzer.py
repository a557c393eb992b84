"""Damaged pictures and malformed bodies on every route."""

from __future__ import annotations

import collections
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fuzz.bodies import SURROGATE, Bodies
from fuzz.shot import Shot, fired

READ = ("/", "/monitor", "/review", "/v1/models", "/v1/monitor", "/v1/monitor", "/v1/monitor", "/metrics")
"""Routes that are only read."""
NAMES = (
    "a.jpg",
    f"{SURROGATE}.jpg",
    "人脸.jpg",
    "\u202egpj.exe",
    "../../etc/passwd",
    "a" * 5000,
    "\x00.jpg",
    '"; drop',
    "😷",
)
BOUNDARY = "fuzz-boundary"
REVIEW = "/v1/review/pictures"


class Fuzzer:
    """Requests from a seed: the same seed, the same requests.

    `model` is the name of the loaded model; `names` are those of pictures in the inbox; only routes that
    start with `only` are aimed at.
    """

    def __init__(self, seed: int, model: str, names: Sequence[str] = (), only: str = "") -> None:
        self._random = random.Random(seed)  # noqa: S311  (no secret depends on it)
        self._bodies = Bodies(self._random)
        self._makers: dict[str, Callable[[], Any]] = {
            "/v1/detect": self._bodies.native,
            f"/predict/image/{model}": self._bodies.hub,
            f"/predict/{model}": self._bodies.hub,
            "/predict/clas_system": self._bodies.clas,
            "/api/": self._bodies.flask,
            "/infer": self._bodies.native,
            "/upload": self._bodies.native,
            "/ppdet/prediction": self._bodies.paddle_serving,
            "/object-detection": self._bodies.paddlex,
            f"/v2/models/{model}/infer": self._bodies.oip,
            "/v1/admin/reload": self._bodies.native,
            "/v1/corrections": self._bodies.native,
        }
        for name in (*names, "0123456789abcdef", "..%2f..%2fetc", "%00"):
            self._makers[f"{REVIEW}/{name}/decision"] = self._bodies.decision
            self._makers[f"{REVIEW}/{name}/undo"] = self._bodies.decision
        self._read = [*READ, REVIEW, f"{REVIEW}/"]
        self._read += [f"{REVIEW}/{name}{end}" for name in names for end in ("", "/picture")]
        others = ["/nothing/here", "/web/../x", "/%00%ff", *self._read]
        self._paths = [path for path in [*self._makers] * 3 + others if path.startswith(only)]

    def shots(self, count: int) -> Iterator[Shot]:
        for _ in range(count):
            yield self._shot()

    def _shot(self) -> Shot:
        choose = self._random.choice
        path = choose(self._paths)
        kind, body = self._body(path)
        # Without keys, pictures are shown only to people at the machine, who call it by its name.
        host = "127.0.0.1" if choose([True] * 9 + [False]) else "x"
        headers = [("Host", host), ("Content-Type", kind), ("Content-Length", self._length(len(body)))]
        if path.startswith("/v2") and self._random.random() < 0.5:
            value = choose([str(len(body)), str(len(body) // 2), "x", "-1", "9" * 30])
            headers.append(("Inference-Header-Content-Length", value))
        if self._random.random() < 0.03:
            name = self._random.choice(["X-Request-ID", "X-Camera", "Accept", "Origin", "X-API-Key"])
            headers.append((name, SURROGATE))
        if self._random.random() < 0.03:
            headers += [(f"X-{number}", "y" * 200) for number in range(choose([50, 500]))]
        method = choose(["GET" if path in self._read else "POST"] * 12 + ["GET", "PUT", "OPTIONS", "BREW"])
        queries = self._list_queries() if path == REVIEW else self._queries()
        line = f"{method} {path}{choose([''] * 4 + queries)} HTTP/1.1\r\n"
        head = line + "".join(f"{name}: {value}\r\n" for name, value in headers) + "Connection: close\r\n\r\n"
        data = head.encode("utf-8", "surrogatepass") + body
        if self._random.random() < 0.02:
            data = self._bodies.mutated(data)
        manner = choose(["whole"] * 40 + ["in pieces", "cut", "gone"])
        return Shot(f"{method} {path} {kind[:60]} {manner}", data, manner)

    def _queries(self) -> list[str]:
        return [
            "?threshold=0.4",
            '?threshold={"with_mask":0.4}',
            "?threshold=[",
            "?threshold=nan",
            "?visualize=1",
            "?hours=9&camera=gate",
            "?hours=9999999999999999999999",
            "?hours=-1&version=%2e%2e%2f",
            "?camera=" + "%ff" * 70,
            "?max_detections=-1",
            "?model=%ff",
            "?x=%00",
            "?%ed%a0%80=1",
            f'?threshold={{"{SURROGATE}":1}}',
            "?" + "a=1&" * 300,
        ]

    def _list_queries(self) -> list[str]:
        """Of the review queue."""
        wanted = {
            "state": ["open", "accepted", "rejected", "x", "%00"],
            "why": ["uncertain", "", "%ff", "a" * 300],
            "camera": ["north", SURROGATE],
            "limit": ["1", "200", "0", "-1", "1e9", "x"],
            "since": ["0", "253402300799", "nan", "inf", "-1", "1e300"],
            "after": ["0 2026 0123456789abcdef", "1%20x", "%00", "9" * 400],
        }
        some = [key for key in wanted if self._random.random() < 0.4]
        return ["?" + "&".join(f"{key}={self._random.choice(wanted[key])}" for key in some)] * 8

    def _length(self, size: int) -> str:
        if self._random.random() < 0.97:
            return str(size)
        return self._random.choice(["-1", "x", str(size + 7), str(10**12), "9" * 40, ""])

    def _body(self, path: str) -> tuple[str, bytes]:
        """A content type and a body for it, or not."""
        draw = self._random.random()
        if draw < 0.5:
            text = self._json(self._makers.get(path, self._bodies.native)())
            kind = "application/json"
            if path.startswith("/predict/image") and self._random.random() < 0.5:
                kind, text = "application/x-www-form-urlencoded", b"data=" + text
        elif draw < 0.75:
            kind, text = self._multipart()
        else:
            kinds = [
                "image/jpeg",
                "image/*",
                "application/octet-stream",
                "",
                "text/plain",
                "é/ü; charset=utf-16",
            ]
            kind, text = self._random.choice(kinds), self._bodies.picture()
        return kind, self._bodies.mutated(text) if self._random.random() < 0.15 else text

    def _json(self, value: Any) -> bytes:
        if self._random.random() < 0.02:
            return b"[" * 50_000
        return json.dumps(value, ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")

    def _multipart(self) -> tuple[str, bytes]:
        choose = self._random.choice
        parts = b""
        for _ in range(self._random.randrange(5)):
            name = choose(["image", "images", "img", "data", "file", "threshold", "visual_result", ""])
            shown = choose(["", f'; filename="{choose(NAMES)}"', "; filename*=UTF-8''%e5%ff"])
            extra = choose(["", "Content-Type: image/jpeg\r\n", "Content-Transfer-Encoding: base64\r\n"])
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n{extra}\r\n'
            parts += head.encode("utf-8", "surrogatepass") + self._bodies.picture() + b"\r\n"
        kinds = [f"multipart/form-data; boundary={BOUNDARY}"] * 8
        odd = ["", "; boundary=", f"; charset=utf-16; boundary={BOUNDARY}", "; boundary=" + "B" * 300]
        return choose(
            kinds + [f"multipart/form-data{tail}" for tail in odd]
        ), parts + f"--{BOUNDARY}--\r\n".encode()


def fuzz(
    port: int,
    model: str,
    count: int,
    seed: int,
    seconds: float,
    names: Sequence[str] = (),
    only: str = "",
) -> tuple[collections.Counter[int], list[str]]:
    """Statuses, and what was wrong; stops after `seconds` whether or not all were sent."""
    deadline = time.monotonic() + seconds
    statuses: collections.Counter[int] = collections.Counter()
    faults: list[str] = []

    def one(shot: Shot) -> tuple[Shot, tuple[int, str] | None]:
        return shot, fired(port, shot) if time.monotonic() < deadline else None

    with ThreadPoolExecutor(4) as pool:
        for shot, outcome in pool.map(one, Fuzzer(seed, model, names, only).shots(count)):
            if outcome is None:
                continue
            statuses[outcome[0]] += 1
            if outcome[1]:
                faults.append(f"{shot.what}: {outcome[1]}")
    return statuses, faults
