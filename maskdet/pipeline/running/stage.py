"""What a stage is: a name, the inputs that its result depends on, and a function that fills its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.pipeline.file.schema import PipelineFile
from maskdet.progress import Track, silent
from maskdet.wording.commands import command_line

Inputs = dict[str, Any]
"""Flat and JSON-serialisable: dotted keys of the pipeline file, and files or folders with their hashes."""
Event = dict[str, Any]


def ignore(shown: object) -> None:
    """The `on_event` and `say` of a silent caller."""
    del shown


@dataclass(frozen=True, slots=True)
class Context:
    """What every stage gets: the pipeline, its results folder runs/<name>, and how to show progress."""

    pipeline: PipelineFile
    folder: Path
    track: Track = silent
    on_event: Callable[[Event], None] = ignore
    say: Callable[[str], None] = ignore
    """Takes a line to show to the user."""
    resume: bool = False
    """Whether to resume a stage's unfinished work."""
    arguments: tuple[str, ...] = ()
    """The command line's options for this pipeline: -c, --set and --runs-dir."""
    file: Path | None = None
    """The pipeline file, None for the defaults."""

    def path(self, stage: str, *parts: str) -> Path:
        """runs/<name>/<stage>/<parts>."""
        return self.folder.joinpath(stage, *parts)

    def command(self, verb: str, *options: str) -> str:
        """The command line to type next for the same pipeline."""
        return command_line(verb, *self.arguments, *options)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    inputs: everything the result depends on; raises StageError if an earlier stage's artefact is missing.
    run: writes into the given folder and returns the key figure for the table.
    """

    name: str
    inputs: Callable[[Context], Inputs]
    run: Callable[[Context, Path], str]
    version: int = 1
    """Increased whenever the stage's code changes its output for the same inputs."""
    keeps: tuple[str, ...] = ("**/*",)
    """Glob patterns of the outputs that must exist for the stage to count as done."""
    long: bool = False
    """Too long to run on the way to another stage: it must have been run explicitly."""
    staged: bool = True
    """Written aside and renamed into place as a whole; False for resumable work."""
    appends_to: frozenset[str] = frozenset()
    """Inputs to which the stage itself adds: recorded as they are after it ran."""
    settled: frozenset[str] = frozenset()
    """Inputs that are settled when the stage starts: their change alone is no reason to run again."""
    clear: Callable[[Context, Inputs], None] | None = None
    """For work in place: finds what faults it can, then makes room. Called with the inputs before they are
    recorded, unless unfinished work is resumed."""
    unfinished: Callable[[Context], str | None] | None = None
    """The progress of unfinished work, or None if there is none."""
    packages: tuple[str, ...] = ()
    """Modules of the extra `data`: without one of them the stage does not start."""
    fetch: Callable[[Context], None] | None = None
    """Downloads inputs not yet on this machine; called before `inputs`, but not in a dry run."""
