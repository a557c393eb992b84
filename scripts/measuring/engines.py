"""Pictures per second of `maskdet predict` and of its engine ray, in turns, on the same pictures."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.shipped import shipped_model
from maskdet.prediction.engines import engine_of
from maskdet.prediction.predict import predict
from maskdet.system.machine import core_count


def seconds(bundle: Bundle, data: Path, engine: str) -> tuple[float, int]:
    """Of one run from the start of the engine to the written results; and the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        out, began = Path(folder), time.perf_counter()
        summary = predict(
            Detector(bundle, threads=1),
            [str(data)],
            formats=["json"],
            out=out,
            engine=engine_of(engine, bundle, out),
        )
        return time.perf_counter() - began, summary.pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a folder of pictures")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    bundle = load_bundle(shipped_model())
    rates: dict[str, list[float]] = {"threads": [], "ray": []}
    for number in range(chosen.rounds):
        for engine, found in rates.items():
            took, pictures = seconds(bundle, chosen.data, engine)
            found.append(pictures / took)
            figures = f"{pictures} pictures in {took:.1f} s: {found[-1]:.1f} per second"
            print(f"round {number + 1}  {engine:8} {figures}")
    middle = {engine: statistics.median(found) for engine, found in rates.items()}
    print(
        f"{core_count()} cores; medians: threads {middle['threads']:.1f}, ray {middle['ray']:.1f} per second"
    )


if __name__ == "__main__":
    main()
