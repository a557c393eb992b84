"""The in-process limit: decode, preprocess, infer and postprocess in a bare loop, without any server."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.picture import decode_reduced
from maskdet.system.machine import core_count

Call = Callable[[], int]
WARM_UP_SECONDS = 0.5


def whole_way(model: Path, data: bytes, threads: int, threshold: float) -> Call:
    """One picture from bytes to detections; the call returns how many reach the threshold."""
    detector = Detector(load_bundle(model), threads=threads)

    def call() -> int:
        decoded = decode_reduced(data, at_least=detector.meta.input_size)
        found = detector.detect(decoded.pixels, decoded.size, from_score=threshold)
        return len(found)

    return call


def loop(call: Call, seconds: float, millis: list[float]) -> None:
    deadline = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < deadline:
        call()
        millis.append((time.perf_counter() - begin) * 1000)


def measure(calls: list[Call], seconds: float) -> dict[str, object]:
    """Each call in a separate thread, all at once."""
    for call in calls:
        loop(call, WARM_UP_SECONDS / len(calls), [])
    millis: list[list[float]] = [[] for _ in calls]
    threads = [
        threading.Thread(target=loop, args=(call, seconds, part))
        for call, part in zip(calls, millis, strict=True)
    ]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - begin, "millis": list(chain(*millis)), "faults": []}


def main() -> None:
    """Read {model, picture, threshold, seconds, spread} as JSON from standard input; print an outcome.

    `spread` runs one loop whose passes use all cores; without it there is one loop per core.
    """
    task = json.load(sys.stdin)
    data = Path(task["picture"]).read_bytes()
    count, threads = (1, core_count()) if task["spread"] else (core_count(), 1)
    call = whole_way(Path(task["model"]), data, threads, task["threshold"])
    outcome = measure([call] * count, task["seconds"])
    json.dump({**outcome, "detections": call()}, sys.stdout)


if __name__ == "__main__":
    main()
