"""Measure a model on this machine: stage by stage in one process, and through the HTTP server."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
from served import ROOT, ServedError, end_on_sigterm, server

from maskdet import __version__
from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import decode
from maskdet.errors import MaskdetError

HEAD = "| what | per second | median ms | 95 % ms |\n|---|---:|---:|---:|"
CLIENTS = (1, 2, 4, 8)
WARM_UP = 5


@dataclass(frozen=True)
class Timing:
    """What was measured: the seconds of each call, and of all from the first start to the last end."""

    name: str
    seconds: Sequence[float]
    wall: float

    def row(self) -> str:
        median, slow = np.percentile(self.seconds, (50, 95)) * 1000
        return f"| {self.name} | {len(self.seconds) / self.wall:.1f} | {median:.2f} | {slow:.2f} |"


def measured(name: str, call: Callable[[bytes], object], files: Sequence[bytes], calls: int) -> Timing:
    """Time `calls` calls, over the files in turn, after a few that do not count."""
    for data in islice(cycle(files), WARM_UP):
        call(data)
    begin = time.perf_counter()
    seconds = [timed(call, data) for data in islice(cycle(files), calls)]
    return Timing(name, seconds, time.perf_counter() - begin)


def timed(call: Callable[[bytes], object], data: bytes) -> float:
    begin = time.perf_counter()
    call(data)
    return time.perf_counter() - begin


def in_process(model: Path, files: Sequence[bytes], calls: int) -> list[Timing]:
    """Decoding alone, then the whole way from the file's bytes to detections."""
    bundle = load_bundle(model)
    rows = [measured("decode", decode, files, calls)]
    for threads in sorted({1, os.cpu_count() or 1}):
        detector = Detector(bundle, threads=threads)
        name = f"decode and detect, {threads} thread{'s' if threads > 1 else ''}"
        rows.append(measured(name, whole_way(detector), files, calls))
    return rows


def whole_way(detector: Detector) -> Callable[[bytes], object]:
    return lambda data: detector.detect(decode(data))


def through_server(address: str, files: Sequence[bytes], calls: int) -> list[Timing]:
    """Requests by several clients at once, each on a connection of its own."""
    return [requested(address, clients, files, calls) for clients in CLIENTS]


def requested(address: str, clients: int, files: Sequence[bytes], calls: int) -> Timing:
    def client(_number: int) -> Timing:
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as session:
            return measured("", lambda data: post(session, data), files, max(1, calls // clients))

    with ThreadPoolExecutor(clients) as pool:
        parts = list(pool.map(client, range(clients)))
    seconds = [second for part in parts for second in part.seconds]
    return Timing(f"HTTP, {clients} at once", seconds, max(part.wall for part in parts))


def post(session: httpx.Client, data: bytes) -> None:
    session.post("/v1/detect", content=data, headers={"Content-Type": "image/jpeg"}).raise_for_status()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "runs" / "sample" / "export" / "model.onnx")
    parser.add_argument("--pictures", type=Path, default=ROOT / "data" / "sample" / "JPEGImages")
    parser.add_argument("--calls", type=int, default=200, help="calls of each kind")
    options = parser.parse_args()
    end_on_sigterm()
    files = [path.read_bytes() for path in sorted(options.pictures.glob("*.jpg"))]
    if not options.model.is_file() or not files:
        print(
            f"bench: {options.model} or {options.pictures}/*.jpg is missing; `make demo` makes a model",
            file=sys.stderr,
        )
        return 1
    try:
        report(options.model.resolve(), files, options.calls)
    except (MaskdetError, ServedError, httpx.HTTPError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def report(model: Path, files: Sequence[bytes], calls: int) -> None:
    versions = f"maskdet {__version__}, ONNX Runtime {onnxruntime.__version__}"
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    print(f"{versions}, {machine}; {model.name}, {len(files)} pictures\n\n{HEAD}")
    for timing in in_process(model, files, calls):
        print(timing.row(), flush=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder) / "serve.log", "--model", str(model)) as address,
    ):
        for timing in through_server(address, files, calls):
            print(timing.row(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
