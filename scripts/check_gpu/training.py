"""Steps of scripts/check_gpu with Paddle: trainings on one device and on all, evaluation and export."""

from __future__ import annotations

import json
import math
import subprocess

from check_gpu.steps import Check, CheckError, Found, Training, command, read_lines
from maskdet.artefacts import PARITY
from maskdet.training.launch.placement import probe
from served import MASKDET, ROOT

BATCH = 8
"""Pictures in a step of the sample's pipeline file."""


def trainings(check: Check) -> list[Training]:
    """On one device and on all, in float32 and mixed."""
    if check.device == "cpu":
        return [
            Training("1 worker", {"train.device": "cpu", "train.workers": 1}),
            Training("all workers", {"train.device": "cpu"}),
            Training("mixed", {"train.device": "cpu", "train.amp": "true"}, refused="train.amp"),
        ]
    gpus = max(1, len(probe(check.python)["gpus"]))
    counts = {"1 GPU": ("gpu:0", 1), **({f"{gpus} GPUs": ("gpu:all", gpus)} if gpus > 1 else {})}
    return [
        Training(
            name + (", mixed" if amp else ""),
            {
                "train.device": device,
                "train.amp": str(amp).lower(),
                "train.batch_size": math.ceil(BATCH / count) * count,
            },
        )
        for name, (device, count) in counts.items()
        for amp in (False, True)
    ]


def doctor(check: Check) -> Found:
    said = command("doctor", *(("--serve",) if check.model else ("--python", str(check.python))))
    notes = [line for line in said.splitlines() if line.startswith("note")]
    return "all is well" + (f", {len(notes)} notes" if notes else ""), {"output": said}


def train(check: Check, training: Training) -> Found:
    words = ("run", *check.pipeline, "--to", "train", "--force")
    if training.refused:
        return refusal(training, *words, *check.overrides(training))
    command(*words, *check.overrides(training))
    events = read_lines(check.results(training) / "train" / "metrics.jsonl")
    started = next(event for event in events if event["event"] == "start")
    told = [event for event in events if event["event"] == "step"]
    judged = [event for event in events if event["event"] == "epoch"]
    losses = [event["loss"] for event in told]
    if not losses or not all(map(math.isfinite, losses)):
        raise CheckError(f"the losses are {losses}")
    figures = {
        "device": started["device"],
        "workers": started["workers"],
        "pictures/s": told[-1]["images_per_s"],
        "share of time that steps wait for pictures": told[-1]["wait_share"],
        "loss, first and last": [losses[0], losses[-1]],
        "AP50": judged[-1]["ap50"],
    }
    return f"{figures['pictures/s']} pictures/s on {started['workers']} x {started['device']}", figures


def refusal(training: Training, *words: str) -> Found:
    done = subprocess.run([*MASKDET, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0 or training.refused not in done.stderr:
        raise CheckError(f"not refused, but exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return f"refused, as it should be: {done.stderr.strip().splitlines()[0]}", {}


def finish(check: Check, training: Training) -> Found:
    command("run", *check.pipeline, *check.overrides(training))
    told = json.loads((check.results(training) / "export" / PARITY).read_text(encoding="utf-8"))
    names = ("ap50_checkpoint", "ap50_onnx", "score_difference", "box_difference")
    return f"AP50 of the ONNX file {told['ap50_onnx']:.3f}", {name: told[name] for name in names}
