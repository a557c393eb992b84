"""The report of scripts/check_gpu: one row for each step, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from maskdet.system.files import write_json, write_text

State = Literal["ok", "fault", "left out"]


@dataclass(frozen=True)
class Step:
    """What was done and what came of it; `figures` by name with the unit."""

    name: str
    state: State
    text: str
    seconds: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Report:
    """The steps so far, and on what machine."""

    device: str
    machine: dict[str, Any]
    steps: list[Step] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(step.state != "fault" for step in self.steps)

    def write(self, folder: Path) -> None:
        """report.md and report.json; after each step, so that a machine that is lost leaves what it found."""
        write_json(folder / "report.json", {"passed": self.passed, **asdict(self)})
        write_text(folder / "report.md", self.as_markdown())

    def as_markdown(self) -> str:
        verdict = "passed" if self.passed else "failed"
        lines = [f"# GPU check on {self.device}: {verdict}", ""]
        lines += [f"- {name}: {value}" for name, value in self.machine.items()]
        lines += ["", "| step | result | seconds | |", "|---|---|---:|---|"]
        lines += [
            f"| {one.name} | {one.state} | {one.seconds:.1f} | {_cell(one.text)} |" for one in self.steps
        ]
        for one in self.steps:
            if one.figures:
                lines += ["", f"## {one.name}", ""]
                lines += [f"- {name}: {_shown(value)}" for name, value in one.figures.items()]
        return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
