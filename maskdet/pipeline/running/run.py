"""Running a chain of stages: skip what is up to date, and say how to resume after a failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from maskdet.errors import Interrupted, MaskdetError, StageError, UsageError
from maskdet.extras import require
from maskdet.pipeline.running.cache import (
    StageRecord,
    describe_changes,
    inputs_of,
    read_record,
    why_stale,
    with_files_of,
    written,
)
from maskdet.pipeline.running.lock import run_lock
from maskdet.pipeline.running.outcome import RunOptions, RunResult, StageOutcome, State
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.pipeline.running.tracking import send_results
from maskdet.system.files import staged_folder
from maskdet.tracking.registry import require_packages
from maskdet.wording.names import did_you_mean

OnStart = Callable[[str, str], None]
"""Called with a stage's name and the reason before it runs."""
Then = Callable[[Context, RunResult], None]
"""Called after the last stage, while this process still holds the results folder."""


def run_stages(
    stages: Sequence[Stage],
    context: Context,
    options: RunOptions,
    on_start: OnStart = lambda _stage, _reason: None,
    then: Then | None = None,
) -> RunResult:
    """Bring the chosen stages up to date in order; stop at the first that fails.

    maskdet's errors and Ctrl-C in a stage end up in the result, so that the caller can show the table first;
    anything else is a bug and is raised. Anything else to be written to the results folder is written by
    `then`. Raises UsageError for an invalid range, EnvironmentProblem if a tracker is not installed, and
    StageError if another process is using the same folder.
    """
    first, last = _range(stages, options)
    require_packages(context.pipeline.tracking)
    runner = _Runner(context, options, on_start)
    with nullcontext() if options.dry_run else run_lock(context.folder):
        for number, stage in enumerate(stages):
            runner.visit(stage, chosen=first <= number <= last)
        if not options.dry_run:
            _close(context, runner.result, then)
    return runner.result


def _close(context: Context, result: RunResult, then: Then | None) -> None:
    """The trackers get what is new first, so that the report can say whether they have it."""
    send_results(context, result)
    if then is not None:
        then(context, result)
        send_results(context, result, report=True)


def can_resume(stages: Sequence[Stage], context: Context) -> bool:
    """True if some stage has work that `--resume` can continue; damaged work cannot be resumed."""
    try:
        return any(stage.unfinished is not None and stage.unfinished(context) for stage in stages)
    except MaskdetError:
        return False


def results_folder(runs: Path, name: str) -> Path:
    """runs/<name>, absolute, since workers may start elsewhere."""
    return runs.absolute() / name


class _Runner:
    """Goes from stage to stage and records the outcome of each."""

    def __init__(self, context: Context, options: RunOptions, on_start: OnStart) -> None:
        self._context, self._options, self._on_start = context, options, on_start
        self.result = RunResult()

    def visit(self, stage: Stage, *, chosen: bool) -> None:
        began = time.monotonic()
        try:
            with _interruptible(stage):
                outcome = self._outcome(stage, chosen)
        except MaskdetError as error:
            self.result.error = error
            headline = error.what.partition("\n")[0]
            outcome = StageOutcome(stage.name, State.FAILED, time.monotonic() - began, headline)
        self.result.outcomes.append(outcome)

    def _outcome(self, stage: Stage, chosen: bool) -> StageOutcome:
        if self.result.error is not None:
            return StageOutcome(stage.name, State.NOT_REACHED)
        if not chosen:
            return StageOutcome(stage.name, State.SKIPPED, figure=self._last_figure(stage))
        if self._options.dry_run and self.result.any(State.WOULD_RUN):
            return self._foreseen(stage)
        return self._brought_up(stage)

    def _brought_up(self, stage: Stage) -> StageOutcome:
        if stage.fetch and not self._options.dry_run and stage.name not in self._options.given:
            stage.fetch(self._context)
        forced = stage.name in self._options.force
        inputs = inputs_of(self._context, stage, force=forced)
        reason = "forced" if forced else why_stale(self._context, stage, inputs)
        if not reason:
            return StageOutcome(stage.name, State.UP_TO_DATE, figure=self._last_figure(stage))
        if stage.name in self._options.given:
            return self._taken_as_is(stage, inputs, reason)
        if self._options.dry_run:
            if self._resumes(stage, inputs):
                reason = f"resumed: {self._progress(stage)}"
            return StageOutcome(stage.name, State.WOULD_RUN, reason=reason)
        require("data", *stage.packages, asks=f"{stage.name} needs")
        resume = self._resumes(stage, inputs)
        self._on_start(stage.name, "resumed" if resume else reason)
        return _run(stage, replace(self._context, resume=resume), inputs, reason)

    def _foreseen(self, stage: Stage) -> StageOutcome:
        """A stage whose input files an earlier one would write."""
        if stage.name in self._options.force:
            return StageOutcome(stage.name, State.WOULD_RUN, reason="forced")
        record = read_record(self._context, stage)
        recorded = record.inputs if record else {}
        try:
            inputs = inputs_of(self._context, stage)
            reason = why_stale(self._context, stage, inputs)
        except StageError:
            inputs, reason = recorded, "has not run"
        # Whether those files will be others is not known yet; the settings are.
        if reason and self._resumes(stage, with_files_of(recorded, inputs)):
            reason = f"resumed, unless an earlier stage writes something new: {self._progress(stage)}"
        if reason:
            return StageOutcome(stage.name, State.WOULD_RUN, reason=reason)
        return StageOutcome(stage.name, State.MAY_RUN, reason="if an earlier stage writes something new")

    def _taken_as_is(self, stage: Stage, inputs: Inputs, reason: str) -> StageOutcome:
        # The best checkpoint of a stopped training is worth evaluating and shipping; one made from other
        # settings would be mistaken for something it is not.
        record = read_record(self._context, stage)
        progress = self._progress(stage)
        if record and progress and not describe_changes(record.inputs, inputs):
            return StageOutcome(stage.name, State.SKIPPED, figure=progress)
        raise StageError(
            f"{stage.name} is not up to date: {reason}", f"run `{self._context.command(stage.name)}` first"
        )

    def _resumes(self, stage: Stage, inputs: Inputs) -> bool:
        """Whether to resume unfinished work. Raises StageError if that is the user's decision."""
        if stage.name in self._options.force:
            return False
        progress = self._progress(stage)
        if progress is None:
            return False
        record = read_record(self._context, stage)
        over = f"`{self._context.command(stage.name, '--force')}` starts over"
        if changes := describe_changes(record.inputs if record else {}, inputs):
            if self._options.unattended:
                return False
            raise StageError(
                f"{progress}, started with other settings: {changes}",
                f"undo the change to resume it, or {over}",
            )
        if not self._options.resume:
            again = self._context.command(stage.name, "--resume")
            raise StageError(progress, f"`{again}` resumes it, {over}")
        return True

    def _progress(self, stage: Stage) -> str | None:
        """Of unfinished work, None if there is none."""
        return stage.unfinished(self._context) if stage.unfinished else None

    def _last_figure(self, stage: Stage) -> str:
        record = read_record(self._context, stage)
        return record.figure if record else ""


def _run(stage: Stage, context: Context, inputs: Inputs, reason: str) -> StageOutcome:
    began = time.monotonic()
    figure = _fill_aside(stage, context) if stage.staged else _fill_in_place(stage, context, inputs)
    seconds = time.monotonic() - began
    if stage.appends_to:
        after = inputs_of(context, stage)
        inputs = {name: after.get(name) if name in stage.appends_to else inputs[name] for name in inputs}
    outputs = written(context, stage)
    record = StageRecord(inputs, finished=True, outputs=outputs, seconds=round(seconds, 2), figure=figure)
    record.write(context, stage)
    return StageOutcome(stage.name, State.RAN, seconds, figure, reason)


def _fill_aside(stage: Stage, context: Context) -> str:
    with staged_folder(context.path(stage.name)) as out:
        return stage.run(context, out)


def _fill_in_place(stage: Stage, context: Context, inputs: Inputs) -> str:
    if stage.clear is not None and not context.resume:
        stage.clear(context, inputs)
    # Written before the work, so that unfinished work shows the settings it was started with; but not before
    # the folder is clear, or finished work would seem to have been made with them.
    StageRecord(inputs).write(context, stage)
    out = context.path(stage.name)
    out.mkdir(parents=True, exist_ok=True)
    return stage.run(context, out)


@contextmanager
def _interruptible(stage: Stage) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(f"stopped in {stage.name}") from None


def _range(stages: Sequence[Stage], options: RunOptions) -> tuple[int, int]:
    names = [stage.name for stage in stages]
    for name in (options.start, options.end):
        if name is not None and name not in names:
            hint = f"{did_you_mean(name, names)} the stages are {', '.join(names)}".lstrip()
            raise UsageError(f"there is no stage {name!r}", hint)
    first = names.index(options.start) if options.start else 0
    last = names.index(options.end) if options.end else len(names) - 1
    if first > last:
        raise UsageError(f"--from {options.start} comes after --to {options.end}", "swap them")
    return first, last
