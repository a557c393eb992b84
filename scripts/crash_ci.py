"""Kill `maskdet run --ci` at random moments: the next call completes, and nothing is ever half-written.

Usage: crash_ci.py [--kills N]. Each round starts the job on a small drawn project, ends it with SIGKILL at a
random moment of a random step, and checks registry, champion and records. After a few kills the job must
complete, and the next one gets other settings.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.registry.registry import Registry
from maskdet.registry.verification import verify_registry

PIPELINE = """
name: crash
data: {root: faces}
model: {variant: picodet_s_320_esnet, pretrained: none}
train: {epochs: 1, batch_size: 4, device: cpu, workers: 1}
eval: {threshold: best-f1}
export: {parity_pictures: 1}
gates:
  slices: []
  parity: false
  floors: {judge: "off"}
  counts: {pictures: 1, faces: 1, class_faces: 1, bare_faces: 1}
  limits: {bare_passed_judge: "off", false_alarms: null}
  not_worse:
    ap50: {judge: "off"}
    ap50_95: {judge: "off"}
    class_ap50: {judge: "off"}
    class_recall: {judge: "off"}
    bare_passed: {judge: "off"}
    false_alarms: {judge: "off"}
    p95_ratio: null
"""
LASTS = {
    "prepare": 0.5,
    "config": 0.1,
    "train": 15.0,
    "eval": 8.0,
    "export": 15.0,
    "gates": 1.0,
    "register": 0.3,
    "promote": 0.1,
    "report": 0.5,
}
"""About how many seconds each step takes on two free cores."""
STEPS = (*LASTS, "register", "promote", "report")
"""Those that change the registry are drawn twice as often."""
KILLS_A_JOB = 4
PATIENCE = 900
"""Seconds for one whole job."""


class CrashError(Exception):
    """A kill left something behind that it must not."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        draw_data_set(project / "faces", 8)
        (project / "pipeline.yml").write_text(PIPELINE, encoding="utf-8")
        where = crash(project, asked.kills, random.Random(asked.seed))  # noqa: S311 - moments, not secrets
    print(f"{asked.kills} kills, every next job completed; killed in: {dict(where)}")
    return 0


def crash(project: Path, kills: int, draw: random.Random) -> Counter[str]:
    """How often the job was killed in which step."""
    where: Counter[str] = Counter()
    number = 0
    while where.total() < kills:
        number += 1
        # Every fourth job trains again; the others evaluate, export and deliver again.
        settings = [f"train.seed={number // 4}", f"eval.max_bare_passed={number / 1000}"]
        for step in draw.choices(STEPS, k=KILLS_A_JOB):
            if where.total() < kills and killed(project, settings, step, draw.uniform(0, LASTS[step])):
                where[step] += 1
                check(project)
                print(f"kill {where.total()}: in {step}", flush=True)
        complete(project, settings)
    return where


def job(settings: list[str]) -> list[str]:
    options = [part for each in settings for part in ("--set", each)]
    return [sys.executable, "-m", "maskdet", "run", "--ci", *options]


def killed(project: Path, settings: list[str], step: str, after: float) -> bool:
    """Kill the job so many seconds after a step began; False if it had ended by then."""
    log = project / "job.log"
    with log.open("w") as stream:
        process = subprocess.Popen(job(settings), cwd=project, stdout=stream, stderr=stream)
    while process.poll() is None:
        if f"== {step}" in log.read_text():
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
            return process.wait() == -signal.SIGKILL
        time.sleep(0.02)
    if process.returncode:
        raise CrashError(f"the job failed:\n{log.read_text()}")
    return False


def check(project: Path) -> None:
    """What may be read at any time is whole."""
    registry = Registry(project / "models")
    for model in registry.models():
        for version in registry.versions(model):
            version.checked_bundle()
        if "champion" in registry.aliases(model):
            registry.resolve(f"models:{model}@champion").checked_bundle()
    for path in (project / "runs").rglob("*.json"):
        if path.name[0] != "." and not any(part[0] == "." and part != ".stages" for part in path.parts):
            json.loads(path.read_text(encoding="utf-8"))


def complete(project: Path, settings: list[str]) -> None:
    """The next job ends well, its model is the champion, and the one after has nothing to do."""
    for expected in ("", "nothing to do"):
        done = subprocess.run(
            job(settings), cwd=project, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        if done.returncode or expected not in done.stdout:
            raise CrashError(f"the next job did not complete:\n{done.stdout}{done.stderr}")
    registry = Registry(project / "models")
    faults = [fault for one in verify_registry(registry) for fault in one.faults]
    latest = registry.versions("crash")[-1].number
    if faults or registry.aliases("crash") != {"challenger": latest, "champion": latest}:
        raise CrashError(f"the registry is not whole: {faults} {registry.aliases('crash')}")
    leftovers = [path for path in project.rglob("*") if ".aside" in path.name]
    if leftovers:
        raise CrashError(f"left behind: {leftovers}")


if __name__ == "__main__":
    os.environ["PYTHONUNBUFFERED"] = "1"
    sys.exit(main())
