"""Check this machine's GPUs from training to service: train, evaluate, export, compare, serve, measure.

    python scripts/check_gpu                    # one GPU and all of them, mixed precision off and on
    python scripts/check_gpu --device cpu       # the same steps without a GPU
    python scripts/check_gpu --model default    # a machine that only serves, without Paddle

Writes report.md and report.json; exits with 1 if a step found a fault. Steps that need another one's result
are left out if it failed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

import maskdet
from check_gpu.report import Report, Step
from check_gpu.service import parity, passes, serve
from check_gpu.steps import PICTURES, Check, CheckError, Found, Training
from check_gpu.training import doctor, finish, train, trainings
from maskdet.errors import MaskdetError
from maskdet.pipeline.doctor.driver import read_driver
from maskdet.system.machine import core_count
from served import ROOT, ServedError, end_on_sigterm


def main() -> int:
    end_on_sigterm()
    options = arguments()
    check = Check(
        options.device,
        options.out.resolve(),
        options.epochs,
        options.python,
        options.tensorrt,
        options.model,
        options.pictures,
    )
    check.out.mkdir(parents=True, exist_ok=True)
    report = Report(check.device, machine())
    for name, do in steps(check):
        report.steps.append(step(name, do))
        report.write(check.out)
        print(f"{report.steps[-1].state:<8} {name}: {report.steps[-1].text}", flush=True)
    print(f"\nreport: {check.out / 'report.md'}")
    return 0 if report.passed else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="check_gpu", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--epochs", type=int, default=4, help="of each training on the drawn sample set")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "check-gpu", help="results folder")
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="interpreter that trains, if not this one"
    )
    parser.add_argument("--tensorrt", action="store_true", help="also run the model on TensorRT")
    parser.add_argument(
        "--model",
        type=Path,
        help="check this model, such as `default`, without training: Paddle is not needed",
    )
    parser.add_argument(
        "--pictures", type=Path, default=PICTURES, help="folder of pictures for the model of --model"
    )
    return parser.parse_args()


def machine() -> dict[str, Any]:
    driver = read_driver()
    names = ("onnxruntime", "onnxruntime-gpu", "paddlepaddle", "paddlepaddle-gpu")
    return {
        "maskdet": maskdet.__version__,
        "Python": platform.python_version(),
        "cores": f"{core_count()} ({platform.machine()})",
        "load at the start": round(os.getloadavg()[0], 1),
        "driver": str(driver) if driver else "none",
        "GPUs": ", ".join(driver.gpus) if driver else "none",
        **{name: version for name in names if (version := installed(name))},
    }


def installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def steps(check: Check) -> Iterator[tuple[str, Callable[[], Found]]]:
    """What to do, in order; each step is made when the one before has ended."""
    yield "doctor", partial(doctor, check)
    if check.model is not None:
        yield from service_steps(check, None)
        return
    chosen = trainings(check)
    for one in chosen:
        yield f"train: {one.name}", partial(train, check, one)
    yield "evaluate and export", partial(finish, check, chosen[0])
    yield from service_steps(check, chosen[0])


def service_steps(check: Check, training: Training | None) -> Iterator[tuple[str, Callable[[], Found]]]:
    """For what the training led to, or the given model."""
    yield f"parity: cpu and {check.device}", partial(parity, check, training, tensorrt=False)
    if check.tensorrt:
        yield "parity: cpu and TensorRT", partial(parity, check, training, tensorrt=True)
    yield "passes by batch", partial(passes, check, training)
    for device in dict.fromkeys((check.device, "cpu")):
        yield f"serve: {device}", partial(serve, check, training, device=device)


def step(name: str, do: Callable[[], Found]) -> Step:
    """Run one step; a fault is its result and not the end."""
    began = time.monotonic()
    try:
        text, figures = do()
    except FileNotFoundError as error:
        return Step(name, "left out", f"{error.filename} is missing: an earlier step failed")
    except (CheckError, MaskdetError, ServedError, httpx.HTTPError) as error:
        return Step(name, "fault", str(error), time.monotonic() - began)
    return Step(name, "ok", text, time.monotonic() - began, figures)


if __name__ == "__main__":
    sys.exit(main())
