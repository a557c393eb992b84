"""What the steps of scripts/check_gpu share: settings of a check, its trainings, maskdet's commands."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from served import MASKDET, ROOT

CONFIG = ROOT / "configs" / "sample.yml"
PICTURES = ROOT / "data" / "sample"
Found = tuple[str, dict[str, Any]]
"""What a step says in a line, and its figures by name."""


class CheckError(Exception):
    """A step found a fault; the message says which."""


@dataclass(frozen=True)
class Training:
    """One of the trainings; `settings` are overrides of CONFIG."""

    name: str
    settings: dict[str, Any]
    refused: str = ""
    """Words of the error that it has to end with; empty if it has to succeed."""

    @property
    def run(self) -> str:
        return "check-" + self.name.replace(",", "").replace(" ", "-").lower()


@dataclass(frozen=True)
class Check:
    """What is checked, and where results go."""

    device: str
    out: Path
    epochs: int
    python: Path
    tensorrt: bool
    model: Path | None = None
    """Bundle that is checked in place of a trained one."""
    pictures: Path = PICTURES
    """Folder that a given model is judged on."""

    @property
    def pipeline(self) -> tuple[str, ...]:
        """Arguments of the commands that read CONFIG."""
        return str(CONFIG), "--runs-dir", str(self.out / "runs")

    def overrides(self, training: Training) -> list[str]:
        common = {"name": training.run, "train.epochs": self.epochs, "train.evaluate_every": self.epochs}
        chosen = {**common, "train.python": self.python, **training.settings}
        return [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]

    def results(self, training: Training) -> Path:
        return self.out / "runs" / training.run

    def engines(self) -> Path:
        return self.out / "engines"


def command(*words: str) -> str:
    """What a maskdet command prints. Raises CheckError if it fails."""
    done = subprocess.run([*MASKDET, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckError(f"maskdet {words[0]} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
    return done.stdout


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects among a file's lines."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
