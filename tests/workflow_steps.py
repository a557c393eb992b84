"""Runs the `run:` blocks of a workflow as GitHub's runner does; steps that use an action are only listed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def read_workflow(path: Path) -> dict[str, Any]:
    """The workflow; `on` is a key and not the truth value that YAML 1.1 makes of it."""
    document: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in document.items()}


@dataclass
class Runner:
    """A machine that has checked out `folder`. values: of every expression that the steps use.

    used: the actions that were passed over; outputs: by step id.
    """

    folder: Path
    values: Mapping[str, str]
    environment: Mapping[str, str]
    used: list[str] = field(default_factory=list)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)

    def run(self, job: Mapping[str, Any]) -> int:
        """The exit code of the first step that fails, else 0. Later steps run if they are `always()`."""
        code = 0
        for number, step in enumerate(job["steps"]):
            if not self._wanted(step.get("if", ""), failed=code != 0):
                continue
            if "uses" in step:
                self.used.append(step["uses"])
            else:
                code = self._step(step, f"step{number}") or code
        return code

    @property
    def summary(self) -> str:
        path = self.folder.parent / "summary.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def filled(self, text: str) -> str:
        """The text with its expressions evaluated. An unknown expression is an error."""
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, expression: str) -> str:
        step = re.fullmatch(r"steps\.(\w+)\.outputs\.(\w+)", expression)
        if step:
            return self.outputs.get(step[1], {}).get(step[2], "")
        return self.values[expression]

    def _wanted(self, condition: str, *, failed: bool) -> bool:
        if not condition:
            return not failed
        always, _, rest = condition.partition(" && ")
        assert always == "always()", condition
        return not rest or self.values[rest] == "true"

    def _step(self, step: Mapping[str, Any], name: str) -> int:
        assert not _EXPRESSION.search(step["run"]), "an expression in a script is an injection"
        outputs = self.folder.parent / f"{name}.outputs"
        outputs.touch()
        script = self.folder.parent / f"{name}.sh"
        script.write_text(step["run"], encoding="utf-8")
        platform = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.folder.parent / "summary.md"),
        }
        told = {key: self.filled(str(value)) for key, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.folder,
            env={**os.environ, **self.environment, **platform, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=500,
        )
        self.logs.append(done.stdout)
        lines = outputs.read_text(encoding="utf-8").splitlines()
        self.outputs[step.get("id", name)] = dict(line.split("=", 1) for line in lines)
        return done.returncode
