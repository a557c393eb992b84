"""What a tracker is: a few calls that send one fact each, and wait no longer than a bounded time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


class Tracker(Protocol):
    """One connection. Every method may raise anything where the tracker does not answer or refuses."""

    def open_run(self, experiment: str, name: str) -> str:
        """Create a run, and the experiment unless it exists; the run's id."""

    def log_parameters(self, run: str, values: Mapping[str, str]) -> None:
        """Settings of the run. Called once for a run."""

    def log_metrics(self, run: str, values: Mapping[str, float], step: int) -> None:
        """Figures at an epoch."""

    def log_file(self, run: str, file: Path, folder: str) -> None:
        """A copy of the file, below `folder` in the run."""

    def set_status(self, run: str, status: Status) -> None:
        """RUNNING also reopens a run that had ended."""

    def register(self, run: str, model: str, file: str, sha256: str) -> str:
        """Make a logged file (folder/name) a version of a registered model, unless it is one; its number."""

    def set_alias(self, model: str, sha256: str, alias: str, number: int) -> None:
        """Let the alias name the version of that bundle; `number` is the one in maskdet's own registry.

        Raises LookupError if the tracker has no such version.
        """

    def page(self, run: str) -> str:
        """Where a person finds the run."""


@dataclass(frozen=True, slots=True)
class TrackerKind:
    """A tracker that can be used: the module that it needs, and how to connect."""

    module: str
    """Must be importable."""
    extra: str
    """maskdet's extra that installs it."""
    connect: Callable[[str], Tracker]
    """From the address in the pipeline file. Imports the module, so it takes seconds."""
