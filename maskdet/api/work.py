"""Stages at work, with or without progress on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from maskdet.api.display import Display, console_on
from maskdet.pipeline.outcome import RunOptions, RunResult
from maskdet.pipeline.run import OnStart, Then, run_stages
from maskdet.pipeline.stage import Context
from maskdet.pipeline.stages import STAGES


@contextmanager
def shown(context: Context, *, progress: bool) -> Iterator[tuple[Context, OnStart]]:
    """The context that shows what is done in it, if asked to, and what to call when a stage begins."""
    if not progress:
        yield context, lambda _stage, _reason: None
        return
    with Display(console_on(sys.stdout)) as display:
        seen = replace(context, track=display.track, on_event=display.on_event, say=display.say)
        yield seen, display.on_start


def advance(context: Context, options: RunOptions, *, progress: bool, then: Then | None = None) -> RunResult:
    """Run stages. Errors of maskdet and Ctrl-C stay in the result."""
    with shown(context, progress=progress) as (seen, on_start):
        return run_stages(STAGES, seen, options, on_start, then)
