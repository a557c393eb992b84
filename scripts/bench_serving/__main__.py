"""Compare maskdet's server with others: one model, the same pictures, the same two cores, one run.

In each round every server is measured in turn, next to the bare loop without a server, so that other load on
the machine affects all alike; the report has medians over the rounds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import psutil

from bench_serving.candidates import (
    HERE,
    ROOT,
    BenchError,
    Candidate,
    Model,
    cache_folder,
    candidates,
    installed,
    running,
    versions,
)
from bench_serving.report import CORE_LOOP, WIDE_LOOP, Measurement, Run, as_document, as_json, as_markdown
from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import decode, decode_reduced
from maskdet.errors import MaskdetError
from maskdet.system.machine import core_count

SIZES = ((400, 300), (1920, 1080))
JPEG_QUALITY = 90
MIN_SCORE = 0.05
"""Detections that score lower are not counted on either side."""
AT_REST = 0.15
"""Share of a core that all servers together may use between two measurements."""
MODELS = ("runs/*/export/model.onnx", "runs/export/model.onnx", "maskdet/models/*.onnx")


@dataclass(frozen=True)
class Picture:
    """A JPEG on disk, and the number of detections for each way of decoding."""

    name: str
    path: Path
    detections: int
    detections_full: int


@dataclass(frozen=True)
class Server:
    """A running candidate."""

    candidate: Candidate
    port: int
    pid: int


def main() -> int:
    options = arguments()
    # The servers have their own sessions, so they would outlive a killed benchmark.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        run = measured(options)
    except (BenchError, MaskdetError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(as_markdown(run))
    if options.json:
        options.json.write_text(as_json(run), encoding="utf-8")
    if options.document:
        options.document.write_text(as_document(run), encoding="utf-8")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench_serving", description=__doc__)
    parser.add_argument("--model", type=Path, help="a bundle; by default the newest of this repository")
    parser.add_argument(
        "--picture", type=Path, help="a photo to scale to both sizes; default: a drawn sample"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.5, help="per measurement, without warm-up")
    parser.add_argument("--only", default="", help="only candidates whose name contains this (and maskdet)")
    parser.add_argument(
        "--cache", type=Path, default=cache_folder(), help="folder for the peers' virtual environments"
    )
    parser.add_argument("--json", type=Path, help="also write all figures here")
    parser.add_argument("--document", type=Path, help="also write the report, with its explanation, here")
    return parser.parse_args()


def measured(options: argparse.Namespace) -> Run:
    with tempfile.TemporaryDirectory(prefix="maskdet-bench-") as name:
        folder = Path(name)
        model, pictures = prepared(options, folder)
        wanted = [one for one in candidates(model) if options.only in one.name or one.name == "maskdet"]
        pythons = {one.name: installed(one, options.cache) for one in wanted}
        run = Run(
            machine=f"{core_count()} cores, {processor()}, Python {sys.version.split()[0]}; "
            f"load average {os.getloadavg()[0]:.1f} at the start (all cores idle: 0)",
            model=load_bundle(model.path).meta.variant,
            pictures={one.name: one.path.stat().st_size for one in pictures},
            rounds=options.rounds,
            seconds=options.seconds,
            versions={one.name: versions(one, pythons[one.name]) for one in wanted},
            about={one.name: one.about for one in wanted},
        )
        with ExitStack() as stack:
            servers = [
                Server(
                    one,
                    *stack.enter_context(running(one, model, pythons[one.name], folder / f"{number}.log")),
                )
                for number, one in enumerate(wanted)
            ]
            for server in servers:
                await_answer(server, pictures[0])
            run.idle_cpu = idle_cpu(servers)
            for number in range(options.rounds):
                for picture in pictures:
                    print(f"round {number + 1} of {options.rounds}, {picture.name}", file=sys.stderr)
                    run.measurements += one_round(servers, model, picture, options.seconds, folder)
        return run


def one_round(
    servers: Sequence[Server], model: Model, picture: Picture, seconds: float, folder: Path
) -> list[Measurement]:
    """The limit and every server, at each level in turn, each once all servers are idle."""
    done = []
    for level in (1, 4, 16, 64):
        if level in (1, 16):
            await_rest(servers)
            done.append(limit(model, picture, spread=level == 1, seconds=seconds))
        for server in servers:
            if level in server.candidate.levels:
                await_rest(servers)
                done.append(load(server, picture, level, seconds, folder))
    return done


def limit(model: Model, picture: Picture, *, spread: bool, seconds: float) -> Measurement:
    task = {
        "model": str(model.path),
        "picture": str(picture.path),
        "threshold": model.threshold,
        "seconds": seconds,
        "spread": spread,
    }
    outcome = script("limit.py", task)
    name = WIDE_LOOP if spread else CORE_LOOP
    return Measurement.of(name, picture.name, 1 if spread else model.cores, outcome, cpu=None)


def load(server: Server, picture: Picture, connections: int, seconds: float, folder: Path) -> Measurement:
    one = server.candidate
    body = folder / f"{one.json_key or 'raw'}-{picture.name}"
    if not body.is_file():
        body.write_bytes(one.body(picture.path.read_bytes()))
    task = {
        "host": "127.0.0.1",
        "port": server.port,
        "path": one.path,
        "content_type": one.content_type,
        "body": str(body),
        "connections": connections,
        "seconds": seconds,
        "warm_up_seconds": 0.5,
        "answer_path": one.answer_path,
        "detections": picture.detections_full if one.packages == ("flask",) else picture.detections,
    }
    before, begin = tree_cpu(server.pid), time.perf_counter()
    outcome = script("load.py", task)
    cpu = (tree_cpu(server.pid) - before) / (time.perf_counter() - begin)
    return Measurement.of(one.name, picture.name, connections, outcome, cpu)


def script(name: str, task: dict[str, Any]) -> dict[str, Any]:
    """Run a module of this folder in a separate process."""
    done = subprocess.run(
        [sys.executable, str(HERE / name)],
        input=json.dumps(task),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{name} failed: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout))


def await_answer(server: Server, picture: Picture, seconds: float = 60) -> None:
    """Retry until the first good response: a port may be open long before its model is loaded."""
    one, deadline = server.candidate, time.monotonic() + seconds
    last: object = "nothing"
    while time.monotonic() < deadline:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=seconds)
        try:
            client.request(
                "POST", one.path, one.body(picture.path.read_bytes()), {"Content-Type": one.content_type}
            )
            answer = client.getresponse()
            last = answer.status, answer.read()[:500]
            if answer.status == 200:
                return
        except OSError as error:
            last = error
        finally:
            client.close()
        time.sleep(0.2)
    raise BenchError(f"{one.name} gives no good response: {last}")


def prepared(options: argparse.Namespace, folder: Path) -> tuple[Model, list[Picture]]:
    """The model, and the pictures with the detection counts that every response is checked against."""
    path = options.model or newest_model()
    source = options.picture or ROOT / "data" / "sample" / "JPEGImages" / "sample_000.jpg"
    for needed in (path, source):
        if not needed.is_file():
            raise BenchError(f"{needed} is missing")
    detector = Detector(load_bundle(path.resolve()))
    photo = decode(source.read_bytes())
    files = [(f"{width}x{height}", write_jpeg(photo, width, height, folder)) for width, height in SIZES]
    # In the widest gap between scores, small differences in decoding cannot change the count.
    scores = [detect(detector, file.read_bytes()) for _, file in files]
    threshold = widest_gap([*scores, *(detect(detector, file.read_bytes(), full=True) for _, file in files)])
    pictures = [
        Picture(
            name,
            file,
            int((detect(detector, file.read_bytes()) >= threshold).sum()),
            int((detect(detector, file.read_bytes(), full=True) >= threshold).sum()),
        )
        for name, file in files
    ]
    return Model(path.resolve(), detector.meta.input_size[0], threshold, core_count()), pictures


def detect(detector: Detector, data: bytes, *, full: bool = False) -> np.ndarray:
    """The scores of the detections."""
    decoded = decode_reduced(data, at_least=None if full else detector.meta.input_size)
    scores: np.ndarray = detector.detect(decoded.pixels, decoded.size).scores
    return scores


def widest_gap(scores: Sequence[np.ndarray]) -> float:
    """The middle of the widest gap between neighbouring scores."""
    edges = np.sort(np.concatenate([*scores, [MIN_SCORE, 0.95]]).astype(np.float64))
    edges = edges[(edges >= MIN_SCORE) & (edges <= 0.95)]
    widest = int(np.argmax(np.diff(edges)))
    return float(edges[widest : widest + 2].mean())


def write_jpeg(photo: np.ndarray, width: int, height: int, folder: Path) -> Path:
    bgr = cv2.cvtColor(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    path = folder / f"{width}x{height}.jpg"
    cv2.imwrite(str(path), bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return path


def newest_model() -> Path:
    found = [path for pattern in MODELS for path in ROOT.glob(pattern)]
    if not found:
        raise BenchError("there is no model yet: pass one with --model, or run `make demo` to make one")
    return max(found, key=lambda path: path.stat().st_mtime)


def await_rest(servers: Sequence[Server], seconds: float = 30) -> None:
    """Some servers work for seconds on abandoned requests; the next must not pay for that."""
    deadline = time.monotonic() + seconds
    while idle_cpu(servers, 0.25) > AT_REST:
        if time.monotonic() > deadline:
            raise BenchError(f"a server is still busy {seconds:g} s after its last request")


def idle_cpu(servers: Sequence[Server], seconds: float = 1.0) -> float:
    """Share of one core that all servers together use while idle."""
    before = sum(tree_cpu(server.pid) for server in servers)
    time.sleep(seconds)
    return (sum(tree_cpu(server.pid) for server in servers) - before) / seconds


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and its descendants."""
    root = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in (root, *root.children(recursive=True)))


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown processor"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    sys.exit(main())
