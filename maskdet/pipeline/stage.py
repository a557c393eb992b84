"""What a stage is: a name, the inputs that its result depends on, and a function that fills its folder."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.pipeline.schema import PipelineFile
from maskdet.progress import Track, silent

Inputs = dict[str, Any]
"""Flat and JSON-able: dotted keys of the pipeline file, and files or folders with their hashes."""
Event = dict[str, Any]


def ignore(shown: object) -> None:
    """The `on_event` and `say` of a caller that shows nothing."""
    del shown


@dataclass(frozen=True, slots=True)
class Context:
    """What every stage is handed: the pipeline, its results folder runs/<name>, and how to show progress."""

    pipeline: PipelineFile
    folder: Path
    track: Track = silent
    on_event: Callable[[Event], None] = ignore
    say: Callable[[str], None] = ignore
    """Takes a line that the user should see."""
    resume: bool = False
    """Set for a stage whose unfinished work is to be gone on with."""
    arguments: tuple[str, ...] = ()
    """How the command line named this pipeline: -c, --set and --runs-dir."""

    def path(self, stage: str, *parts: str) -> Path:
        """runs/<name>/<stage>/<parts>."""
        return self.folder.joinpath(stage, *parts)

    def command(self, verb: str, *options: str) -> str:
        """A command line on the same pipeline, to be typed next."""
        return shlex.join(["maskdet", verb, *self.arguments, *options])


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    inputs: everything the result depends on; raises StageError when an earlier stage's artefact is missing.
    run: writes into the folder it is given and returns the key figure for the table.
    """

    name: str
    inputs: Callable[[Context], Inputs]
    run: Callable[[Context, Path], str]
    version: int = 1
    """Raised whenever the stage's code comes to write something else from the same inputs."""
    keeps: tuple[str, ...] = ("**/*",)
    """Glob patterns of the outputs that have to be there for the stage to count as done."""
    long: bool = False
    """Too long to be run on the way to another stage: it must have been run by itself."""
    staged: bool = True
    """Written aside and renamed into place as a whole; False for work that can be gone on with."""
    unfinished: Callable[[Context], str | None] | None = None
    """Says how far unfinished work got, or None when there is none."""
    fetch: Callable[[Context], None] | None = None
    """Brings inputs that are not on this machine yet; called before `inputs`, but not in a dry run."""
