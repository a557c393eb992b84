"""Kill `maskdet run --ci`, or fill its disk: the next call completes, and nothing is ever half-written.

Usage: ci_job.py [--kills N] [--full-disks N]. Each round starts the job on a small drawn project, ends it
with SIGKILL at a random moment of a random step, or fills the disk when the step begins, and checks registry,
champion and records. After a few rounds the job must complete, and the next one gets other settings.
A full disk needs root: the project then lies in a file system in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
BLOWS_A_JOB = 4
PATIENCE = 900
"""Seconds for one whole job."""
DISK_MB = 600
LEFT_BYTES = (0, 50_000, 1_000_000, 5_000_000, 10_000_000)
"""A small file fits or does not, a bundle fits or does not, a state of the training fits or does not."""
Blow = Callable[[Path, list[str], str, random.Random], bool]
"""What befalls a job in a step; False if the job was not hit."""


class CrashError(Exception):
    """A blow left something behind that it must not."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--full-disks", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311 - moments, not secrets
    with project() as folder:
        print(
            f"{asked.kills} kills, every next job completed: {dict(crash(folder, killed, asked.kills, draw))}"
        )
    with project(DISK_MB) as folder:
        where = crash(folder, starved, asked.full_disks, draw)
        print(f"{asked.full_disks} full disks, every next job completed: {dict(where)}")
    return 0


@contextmanager
def project(megabytes: int = 0) -> Iterator[Path]:
    """A drawn project, on a disk of that size."""
    with tempfile.TemporaryDirectory() as name, mounted(Path(name) / "project", megabytes) as folder:
        draw_data_set(folder / "faces", 8)
        (folder / "pipeline.yml").write_text(PIPELINE, encoding="utf-8")
        yield folder


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """A new folder, on a file system of that size in memory; 0 leaves it where it is."""
    folder.mkdir()
    if not megabytes:
        yield folder
        return
    size = f"size={megabytes}m"
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", folder], check=True)


def crash(project: Path, blow: Blow, times: int, draw: random.Random) -> Counter[str]:
    """How often the job was hit in which step."""
    where: Counter[str] = Counter()
    number = 0
    while where.total() < times:
        number += 1
        # Every fourth job trains again; the others evaluate, export and deliver again.
        settings = [f"train.seed={number // 4}", f"eval.max_bare_passed={number / 1000}"]
        for step in draw.choices(STEPS, k=BLOWS_A_JOB):
            if where.total() < times and blow(project, settings, step, draw):
                where[step] += 1
                check(project)
                print(f"{blow.__name__} {where.total()}: in {step}", flush=True)
        complete(project, settings)
    return where


def job(settings: list[str]) -> list[str]:
    options = [part for each in settings for part in ("--set", each)]
    return [sys.executable, "-m", "maskdet", "run", "--ci", *options]


def killed(project: Path, settings: list[str], step: str, draw: random.Random) -> bool:
    """Kill the job some time after a step began; False if it had ended by then."""
    process = started(project, settings, step)
    time.sleep(draw.uniform(0, LASTS[step]))
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def starved(project: Path, settings: list[str], step: str, draw: random.Random) -> bool:
    """Fill the disk but for some bytes when a step begins; False if the job does without more."""
    ballast = project / "ballast"
    process = started(project, settings, step)
    free = shutil.disk_usage(project).free
    with suppress(OSError):
        # The job may take the last bytes first.
        ballast.write_bytes(bytes(max(0, free - draw.choice(LEFT_BYTES))))
    code = process.wait(PATIENCE)
    ballast.unlink()
    said = log_of(project).read_text()
    if code and "No space left" not in said and "disk is full" not in said:
        raise CrashError(f"a full disk was not told, exit code {code}:\n{said}")
    return code != 0


def started(project: Path, settings: list[str], step: str) -> subprocess.Popen[bytes]:
    """The job, which has begun a step or has ended well without it."""
    log = log_of(project)
    with log.open("w") as stream:
        process = subprocess.Popen(job(settings), cwd=project, stdout=stream, stderr=stream)
    while process.poll() is None and f"== {step}" not in log.read_text():
        time.sleep(0.02)
    if process.returncode:
        raise CrashError(f"the job failed:\n{log.read_text()}")
    return process


def log_of(project: Path) -> Path:
    """On a disk that is not full."""
    return project.with_name("job.log")


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
