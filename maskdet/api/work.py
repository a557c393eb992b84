"""Running stages, with or without progress on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from maskdet.api.display import Display, console_on
from maskdet.pipeline.running.outcome import RunOptions, RunResult
from maskdet.pipeline.running.run import OnStart, Then, run_stages
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES


@contextmanager
def shown(context: Context, *, progress: bool) -> Iterator[tuple[Context, OnStart]]:
    """The context, which shows progress if asked to, and the callback for the start of a stage."""
    if not progress:
        yield context, lambda _stage, _reason: None
        return
    with Display(console_on(sys.stdout)) as display:
        seen = replace(context, track=display.track, on_event=display.on_event, say=display.say)
        yield seen, display.on_start


def advance(context: Context, options: RunOptions, *, progress: bool, then: Then | None = None) -> RunResult:
    """Run stages. maskdet's errors and Ctrl-C end up in the result."""
    with shown(context, progress=progress) as (seen, on_start):
        return run_stages(STAGES, seen, options, on_start, then)
