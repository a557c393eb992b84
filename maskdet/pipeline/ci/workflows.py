"""The CI files of a project, from templates: workflows for GitHub and GitLab, dvc.yaml, and a cron line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Final

from maskdet.errors import UsageError


class CiKind(str, Enum):
    """What a project's retraining is started by."""

    GITHUB = "github"
    GITLAB = "gitlab"
    DVC = "dvc"
    CRON = "cron"


FILES: Final[Mapping[CiKind, Mapping[str, str]]] = {
    CiKind.GITHUB: {
        ".github/workflows/retrain.yml": "retrain.yml",
        ".github/workflows/retrain-comment.yml": "retrain-comment.yml",
    },
    CiKind.GITLAB: {".gitlab-ci.yml": "gitlab-ci.yml"},
    CiKind.DVC: {"dvc.yaml": "dvc.yaml"},
    CiKind.CRON: {"retrain.cron": "retrain.cron"},
}
"""By kind: the file in the project, and its template."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
_INSTALL: Final = (
    # One that was made with another Python is there, but does not start.
    "if ! .venv/bin/maskdet --version > /dev/null 2>&1; then",
    "  python3 -m venv --clear .venv",
    "  .venv/bin/pip install --quiet maskdet",
    '  .venv/bin/pip install --quiet --no-deps -r "$(.venv/bin/maskdet doctor --lock)"',
    "fi",
)


@dataclass(frozen=True, slots=True)
class CiProject:
    """A project as its CI files name it; all paths are relative to its folder, with forward slashes.

    data: folders with labels; run: its results folder; frozen: the file of data.frozen_val, "" if there is
    none; lock: what the environment depends on; install: the lines of a shell that make .venv, unless it is
    there.
    """

    folder: Path
    pipeline: str
    data: tuple[str, ...]
    run: str
    registry: str = "models"
    frozen: str = ""
    lock: str = ""
    install: tuple[str, ...] = _INSTALL

    def files(self, kind: CiKind) -> dict[str, str]:
        """The text of each file by its path in the project."""
        return {name: self._filled(template) for name, template in FILES[kind].items()}

    def _filled(self, template: str) -> str:
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        indent = "          " if template == "retrain.yml" else "      "
        paths = [f"{folder}/**{'/*' if template == 'gitlab-ci.yml' else ''}" for folder in self.data]
        values = {
            "PIPELINE": shlex.quote(self.pipeline)
            if template in ("dvc.yaml", "retrain.cron")
            else self.pipeline,
            "PATHS": ", ".join(map(json.dumps, [*paths, self.pipeline])),
            "DEPS": ", ".join(map(json.dumps, [*self.data, self.pipeline])),
            "LOCK": f"'{self.lock or self.pipeline}'",
            "INSTALL": "\n".join(indent + line for line in self.install),
            "REGISTRY": self.registry,
            "RUN": self.run,
            "FROZEN": self.frozen,
            "FOLDER": shlex.quote(self.folder.as_posix()),
        }
        if not self.frozen:
            text = "".join(line for line in text.splitlines(keepends=True) if "@FROZEN@" not in line)
        for name, value in values.items():
            text = text.replace(f"@{name}@", value)
        return text


def within(path: Path, folder: Path) -> str:
    """The path relative to the project's folder. Raises UsageError if it is elsewhere, or has letters that a
    workflow would take for a pattern or an expression.
    """
    try:
        name = PurePosixPath(path.resolve().relative_to(folder.resolve())).as_posix()
    except ValueError:
        raise UsageError(f"{path} is not below {folder}", "a CI job sees only the project's folder") from None
    if not all(letter.isalnum() or letter in "._/-" for letter in name):
        raise UsageError(
            f"{name!r} cannot be named in a workflow", "use letters, digits, dots, dashes and underscores"
        )
    return name
