"""Measure the time from a server's command to its first response, and its memory then.

    python scripts/measuring/startup.py MODEL.onnx [--runs 5] [--workers 1]

Prints the best and the median of the runs. The first run warms the disk and is not counted.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import psutil

from maskdet.system.machine import core_count
from served import MASKDET, free_port

PICTURE = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
GIVE_UP_SECONDS = 60.0


def measured(model: Path, workers: int, folder: str) -> tuple[float, float, float]:
    """One start: seconds from the command to the first detection, CPU seconds until then, megabytes."""
    port = free_port()
    command = [*MASKDET, "serve", "--model", str(model.absolute()), "--port", str(port)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--workers", str(workers)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "XDG_RUNTIME_DIR": folder},
    )
    try:
        while not answers(port):
            if process.poll() is not None or time.perf_counter() - started > GIVE_UP_SECONDS:
                raise SystemExit(f"the server did not start; try `maskdet serve --model {model}`")
            time.sleep(0.005)
        seconds = time.perf_counter() - started
        return seconds, *held(process.pid)
    finally:
        process.terminate()
        process.wait(GIVE_UP_SECONDS)


def answers(port: int) -> bool:
    """Whether a picture sent now gets a response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GIVE_UP_SECONDS)
    try:
        connection.request("POST", "/v1/detect", PICTURE, {"content-type": "image/png"})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def held(pid: int) -> tuple[float, float]:
    """CPU seconds and resident megabytes of a process and its children.

    Shared pages are counted in each process.
    """
    process = psutil.Process(pid)
    tree = [process, *process.children(recursive=True)]
    cpu = sum(sum(one.cpu_times()[:2]) for one in tree)
    return cpu, sum(one.memory_info().rss for one in tree) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured(arguments.model, arguments.workers, folder)
        runs = [measured(arguments.model, arguments.workers, folder) for _ in range(arguments.runs)]
    seconds, cpu, megabytes = zip(*runs, strict=True)
    print(f"Python {sys.version.split()[0]}, {core_count()} cores, {arguments.workers} worker(s)")
    print(f"first answer: best {min(seconds):.2f} s, median {statistics.median(seconds):.2f} s")
    print(f"CPU time until then: best {min(cpu):.2f} s (affected little by a busy machine)")
    print(f"resident memory: {statistics.median(megabytes):.0f} MB")


if __name__ == "__main__":
    main()
