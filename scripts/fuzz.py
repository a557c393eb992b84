"""Fuzz a server: damaged pictures and malformed bodies on every route, and schemathesis on its OpenAPI
document. Whatever is sent, the response is a well-formed 2xx or 4xx, and the server stays as fast as before.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import collections
import json
import random
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from health_watch import watched
from hostile import Attack, attacks
from served import ROOT, ServedError, end_on_sigterm, server

from maskdet.inbox.inbox import Inbox
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import ProposedFace

sys.path.insert(0, str(Path(__file__).with_name("bench_serving")))
from candidates import BenchError, cache_folder, own_venv

TIMEOUT_SECONDS = 40.0
READ = ("/", "/monitor", "/review", "/v1/models", "/v1/monitor", "/v1/monitor", "/v1/monitor", "/metrics")
"""Routes that are only read."""
LEAKS = (b"Traceback", b"site-packages", b'File "', b".py", str(ROOT).encode())
"""What no response may contain."""
PATIENCE = ("--set", "serve.body_seconds=2", "--set", "serve.header_seconds=2")
"""The server soon abandons requests that claim to be longer than they are."""
SLOWER = 3.0
"""A good request after fuzzing may take this many times as long as one before."""
SURROGATE = "\ud800"
"""Half of a surrogate pair: JSON can escape it, but UTF-8 cannot encode it."""
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
PROPOSALS = 12
LATE_MS = 100.0
"""How much the 99th percentile of /health/live under attack may exceed that of an idle process."""
ATTACKERS = 4
ATTACK_SECONDS = 200.0
"""How long the response to a hostile body may take: a picture of 49 million pixels is decoded and drawn."""


@dataclass(frozen=True)
class Shot:
    """One request as bytes, and how it is sent."""

    what: str
    data: bytes
    manner: str = "whole"
    """whole, in pieces, cut (the rest never sent, the sending side closed), or gone (closed at once)."""


class Fuzzer:
    """Requests from a seed: the same seed, the same requests.

    `model` is the name of the loaded model; `names` are those of pictures in the inbox; only routes that
    start with `only` are aimed at.
    """

    def __init__(self, seed: int, model: str, names: Sequence[str] = (), only: str = "") -> None:
        self._random = random.Random(seed)  # noqa: S311  (no secret depends on it)
        self._pictures = sample_pictures()
        self._makers: dict[str, Callable[[], Any]] = {
            "/v1/detect": self._native,
            f"/predict/image/{model}": self._hub,
            f"/predict/{model}": self._hub,
            "/predict/clas_system": self._clas,
            "/api/": self._flask,
            "/infer": self._native,
            "/upload": self._native,
            "/ppdet/prediction": self._paddle_serving,
            "/object-detection": self._paddlex,
            f"/v2/models/{model}/infer": self._oip,
            "/v1/admin/reload": self._native,
            "/v1/corrections": self._native,
        }
        for name in (*names, "0123456789abcdef", "..%2f..%2fetc", "%00"):
            self._makers[f"{REVIEW}/{name}/decision"] = self._decision
            self._makers[f"{REVIEW}/{name}/undo"] = self._decision
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
            data = self._mutated(data)
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
            text = self._json(self._makers.get(path, self._native)())
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
            kind, text = self._random.choice(kinds), self._picture()
        return kind, self._mutated(text) if self._random.random() < 0.15 else text

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
            parts += head.encode("utf-8", "surrogatepass") + self._picture() + b"\r\n"
        kinds = [f"multipart/form-data; boundary={BOUNDARY}"] * 8
        odd = ["", "; boundary=", f"; charset=utf-16; boundary={BOUNDARY}", "; boundary=" + "B" * 300]
        return choose(
            kinds + [f"multipart/form-data{tail}" for tail in odd]
        ), parts + f"--{BOUNDARY}--\r\n".encode()

    def _picture(self) -> bytes:
        picture = self._random.choice(self._pictures)
        return self._mutated(picture) if self._random.random() < 0.7 else picture

    def _mutated(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self._random.choice((1, 2, 5, 20))):
            if not changed:
                break
            place, draw = self._random.randrange(len(changed)), self._random.random()
            if draw < 0.5:
                changed[place] = self._random.randrange(256)
            elif draw < 0.65:
                del changed[place : place + self._random.randrange(1, 50)]
            elif draw < 0.8:
                changed[place:place] = self._random.randbytes(self._random.randrange(20))
            elif draw < 0.9:
                # The header of one format on the body of another.
                other = self._random.choice(self._pictures)
                changed[: min(16, len(changed))] = other[:16]
            else:
                del changed[place:]
        return bytes(changed)

    def _base64(self) -> str:
        text = base64.b64encode(self._picture()).decode("ascii")
        prefix = self._random.choice(["", "", "data:image/png;base64,", "data:;base64,", "data:image/png,"])
        return prefix + (text if self._random.random() < 0.9 else text[:-3] + "é")

    def _maybe(self, value: Any) -> Any:
        """Mostly the value, sometimes anything else."""
        odd = [None, True, 0, -1, 1e308, "x", "", [], {}, [[]], 10**30, float("nan"), "\ud800", "\u0000"]
        return value if self._random.random() < 0.75 else self._random.choice(odd)

    def _some(self, values: dict[str, Any]) -> Any:
        """Some of the keys, rarely an odd one, rarely something that is not an object."""
        some = {key: value for key, value in values.items() if self._random.random() < 0.8}
        if self._random.random() < 0.05:
            some[self._random.choice([SURROGATE, "", "\u0000", "k" * 300])] = self._maybe(1)
        return self._maybe(some)

    def _native(self) -> Any:
        return self._some(
            {
                "image": self._maybe(self._base64()),
                "images": self._maybe(
                    [self._maybe(self._base64()) for _ in range(self._random.randrange(4))]
                ),
                "threshold": self._maybe(self._maybe({"with_mask": self._maybe(0.4)})),
                "max_detections": self._maybe(3),
                "visualize": self._maybe(True),
            }
        )

    def _hub(self) -> Any:
        options = {"visualization": self._maybe(True), "confs_threshold": self._maybe(0.4)}
        return self._some({"images": self._maybe([self._maybe(self._base64())]), **options})

    def _clas(self) -> Any:
        tensor = base64.b64encode(np.zeros((2, 3, 8, 8), np.float32).tobytes()).decode("ascii")
        shape = self._maybe([self._maybe(2), 3, self._maybe(8), self._maybe(8)])
        params = {
            "shape": shape,
            "dtype": self._maybe(self._random.choice(["float32", "object", "S9", ">U4"])),
        }
        return self._some(
            {"images": self._maybe(tensor), "revert_params": self._maybe(params), "top_k": self._maybe(1)}
        )

    def _flask(self) -> Any:
        return self._some({"image": self._maybe(self._base64())})

    def _paddle_serving(self) -> Any:
        return self._some(
            {"key": self._maybe([self._maybe("image")]), "value": self._maybe([self._base64()])}
        )

    def _paddlex(self) -> Any:
        threshold = self._maybe({"0": self._maybe(0.4)})
        return self._some(
            {"image": self._maybe(self._base64()), "threshold": threshold, "visualize": self._maybe(True)}
        )

    def _decision(self) -> Any:
        edges = [self._maybe(self._random.randrange(-10, 300)) for _ in range(4)]
        box = self._some({"label": self._maybe("with_mask"), "box": self._maybe(edges)})
        how = self._random.choice(["accept", "correct", "skip", "reject", "reject", "maybe"])
        return self._some(
            {
                "decision": self._maybe(how),
                "revision": self._maybe(self._random.randrange(1, 40)),
                "boxes": self._maybe([box] * self._random.choice((0, 1, 1, 2, 1001))),
            }
        )

    def _oip(self) -> Any:
        tensor = {
            "name": self._maybe("image"),
            "shape": self._maybe([self._maybe(1), self._maybe(4)]),
            "datatype": self._maybe(self._random.choice(["BYTES", "UINT8", "FP32", "INT64"])),
            "data": self._maybe([self._maybe(self._base64())]),
            "parameters": self._maybe({"binary_data_size": self._maybe(9)}),
        }
        output = {"name": self._maybe("boxes"), "parameters": self._maybe({"binary_data": self._maybe(True)})}
        return self._some(
            {
                "id": self._maybe("1"),
                "inputs": self._maybe([self._maybe(tensor)]),
                "outputs": self._maybe([self._maybe(output)]),
                "parameters": self._maybe(
                    {"threshold": self._maybe(0.4), "binary_data_output": self._maybe(True)}
                ),
            }
        )


def sample_pictures() -> list[bytes]:
    """One small picture in each format, and some that claim to be enormous."""
    pixels = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    suffixes = (".jpg", ".png", ".bmp", ".webp", ".tif", ".gif")
    files = [cv2.imencode(suffix, pixels)[1].tobytes() for suffix in suffixes]
    return [
        *files,
        png_bomb(20_000, 20_000),
        png_bomb(2**31 - 1, 1),
        jpeg_of(files[0], 65_500, 65_500),
        b"",
        b"text",
    ]


def png_bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims more pixels than it contains."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", binascii.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg_of(data: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its frame header."""
    place = data.index(b"\xff\xc0") + 5
    return data[:place] + struct.pack(">HH", height, width) + data[place + 4 :]


def fired(port: int, shot: Shot, seconds: float = TIMEOUT_SECONDS) -> tuple[int, str]:
    """Send it; the response's status (0 for none) and what is wrong with it, empty if nothing is."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            send(connection, shot)
            while shot.manner != "gone" and (part := connection.recv(1 << 16)):
                answer += part
    except TimeoutError:
        return 0, f"no answer within {seconds:g} s"
    except ConnectionError:
        # A client that keeps sending for longer than a refusing server reads sees a reset.
        return judged(answer)
    if not answer and shot.manner in {"whole", "in pieces"}:
        return 0, "the connection was closed without an answer"
    return judged(answer)


def send(connection: socket.socket, shot: Shot) -> None:
    data = shot.data
    if shot.manner == "in pieces":
        for start in range(0, min(len(data), 400), 40):
            connection.sendall(data[start : start + 40])
            time.sleep(0.005)
        connection.sendall(data[400:])
    elif shot.manner in {"cut", "gone"}:
        connection.sendall(data[: len(data) * 2 // 3])
    else:
        connection.sendall(data)
    if shot.manner == "cut":
        connection.shutdown(socket.SHUT_WR)


def judged(answer: bytes) -> tuple[int, str]:
    if not answer:
        return 0, ""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 "):
        return 0, f"no HTTP: {answer[:100]!r}"
    status = int(head[9:12])
    leaks = [leak.decode() for leak in LEAKS if leak in head or (leak in body and b"json" in head.lower())]
    if leaks:
        return status, f"leaks {leaks[0]!r}: {body[:300]!r}"
    busy = status == 503 and b"retry-after" in head.lower()
    return status, f"status {status}: {body[:300]!r}" if status >= 500 and not busy else ""


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


@dataclass(frozen=True)
class AttackOutcome:
    """Statuses, what was wrong with the responses, and /health/live's latency meanwhile (see
    health_watch).
    """

    statuses: collections.Counter[int]
    faults: list[str]
    live: dict[str, dict[str, float]]


def attack(port: int, model: str, size: int) -> AttackOutcome:
    """Every hostile body once, from several clients at a time."""
    waiting, turn = attacks(model, size), threading.Lock()
    statuses: collections.Counter[int] = collections.Counter()
    faults: list[str] = []

    def client() -> None:
        while (one := _next(waiting, turn)) is not None:
            status, fault = fired(port, Shot(one.what, one.data), ATTACK_SECONDS)
            statuses[status] += 1
            if fault or not status:
                faults.append(f"{one.what}: {fault or 'no answer'}")

    with watched(port) as live, ThreadPoolExecutor(ATTACKERS) as pool:
        for done in [pool.submit(client) for _ in range(ATTACKERS)]:
            done.result()
    return AttackOutcome(statuses, faults, live)


def _next(waiting: Iterator[Attack], turn: threading.Lock) -> Attack | None:
    # Created one by one: all of them would take a gigabyte.
    with turn:
        return next(waiting, None)


def schemathesis(address: str, examples: int, seconds: float) -> tuple[str, bool]:
    """Findings of schemathesis on the OpenAPI document's routes: server errors only."""
    python = own_venv(["schemathesis"], cache_folder())
    command = [
        str(python.parent / "schemathesis"),
        "run",
        f"{address}/openapi.json",
        "--checks",
        "not_a_server_error",
    ]
    command += [
        "--max-examples",
        str(examples),
        "--seed",
        "1",
        "--suppress-health-check",
        "all",
        "--no-color",
    ]
    try:
        # It writes to the current folder.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
            )
    except subprocess.TimeoutExpired:
        return f"schemathesis was not done after {seconds:.0f} s", False
    return done.stdout[-1500:] + done.stderr[-500:], done.returncode == 0


def good_ms(port: int, calls: int = 30) -> float:
    """Median milliseconds of a good request."""
    body = sample_pictures()[0]
    head = (
        f"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
    )
    shot = Shot("good", head.encode() + b"Connection: close\r\n\r\n" + body)
    millis = []
    for _ in range(calls):
        begin = time.perf_counter()
        status, fault = fired(port, shot)
        if status != 200:
            raise ServedError(f"a good request got {status} {fault}")
        millis.append((time.perf_counter() - begin) * 1000)
    return statistics.median(millis)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "runs" / "sample" / "export" / "model.onnx")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="fuzz only routes that start like this")
    parser.add_argument("--seconds", type=float, default=900, help="limit for each of the two parts")
    parser.add_argument("--examples", type=int, default=100, help="of schemathesis per route; 0: skip it")
    parser.add_argument("--hostile-bytes", type=int, default=4_000_000, help="per hostile body; 0: skip them")
    options = parser.parse_args()
    end_on_sigterm()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return run(options, Path(folder))
    except (OSError, ServedError, BenchError) as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 1


def run(options: argparse.Namespace, folder: Path) -> int:
    found: list[str] = []
    log, inbox = folder / "serve.log", folder / "inbox"
    names = fill(inbox)
    with server(log, "--model", str(options.model.resolve()), "--inbox", str(inbox), *PATIENCE) as address:
        port = int(address.rpartition(":")[2])
        before = good_ms(port)
        model = model_name(address)
        statuses, faults = fuzz(
            port, model, options.requests, options.seed, options.seconds, names, options.only
        )
        print(f"{sum(statuses.values())} requests: {dict(sorted(statuses.items()))}")
        found += faults
        found += under_attack(port, model_name(address), options.hostile_bytes)
        if options.examples:
            text, passed = schemathesis(address, options.examples, options.seconds)
            print(text)
            found += [] if passed else ["schemathesis found faults"]
        after = good_ms(port)
        print(f"a good request took {before:.1f} ms before and {after:.1f} ms after")
        if after > SLOWER * before:
            found.append("the server became slower")
    lines = [line for line in log.read_text(errors="replace").splitlines() if '"traceback"' in line]
    found += [f"traceback in the log: {line[:1500]}" for line in lines]
    for fault in found[:20]:
        print(f"FAIL {fault}")
    return 1 if found else 0


def fill(folder: Path) -> list[str]:
    """Proposals for the review queue; returns their names."""
    inbox, names = Inbox(folder), []
    for seed in range(PROPOSALS):
        pixels = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
        data = cv2.imencode(".png", pixels)[1].tobytes()
        face = ProposedFace(label="with_mask", box=(4, 4, 20, 20))
        record = inbox.propose(Proposal(data, pixels, [face], "uncertain"), alike_too=True)
        names += [record.name] if record else []
    return names


def under_attack(port: int, model: str, size: int) -> list[str]:
    """What was wrong under attack."""
    if not size:
        return []
    outcome = attack(port, model, size)
    print(f"{sum(outcome.statuses.values())} hostile bodies: {dict(sorted(outcome.statuses.items()))}")
    print(f"/health/live in ms meanwhile: {outcome.live}")
    late = outcome.live["server"]["p99"] - outcome.live["bystander"]["p99"]
    slow = [f"/health/live is {late:.0f} ms late at its 99th percentile"] if late > LATE_MS else []
    return [*outcome.faults, *slow]


def model_name(address: str) -> str:
    """The name of the server's default model."""
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["models"][0]["name"])


if __name__ == "__main__":
    sys.exit(main())
