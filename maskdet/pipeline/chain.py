"""The chain of stages as a whole: its options, and how a run ends. For commands and Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from maskdet.artefacts import PAGE, REPORT
from maskdet.errors import Interrupted, MaskdetError
from maskdet.pipeline.running.outcome import RunOptions, RunResult
from maskdet.pipeline.running.report import write_report
from maskdet.pipeline.running.run import can_resume
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES


def stage_options(stage: str, *, force: bool = False, resume: bool = False) -> RunOptions:
    """Options to bring one stage up to date, and the cheap ones before it."""
    return RunOptions(
        end=stage,
        force=frozenset({stage} if force else ()),
        given=frozenset(each.name for each in STAGES if each.long) - {stage},
        resume=resume,
    )


def chain_options(
    start: str | None, end: str | None, *, force: bool = False, dry_run: bool = False, resume: bool = False
) -> RunOptions:
    """Options to bring all stages from `start` to `end` up to date."""
    forced = frozenset(stage.name for stage in STAGES) if force else frozenset()
    return RunOptions(start, end, force=forced, dry_run=dry_run, resume=resume)


def unattended_options(*, force: bool = False) -> RunOptions:
    """Options of a job that nobody watches: all stages; an unfinished training is resumed."""
    return replace(chain_options(None, None, force=force, resume=True), unattended=True)


def finish_stage(context: Context, stage: str, result: RunResult) -> None:
    """Raise the error that stopped the stage, with the command that resumes it."""
    if isinstance(result.error, Interrupted) and not result.error.hint:
        own = [each for each in STAGES if each.name == stage]
        again = ["--resume"] if can_resume(own, context) else []
        result.error.hint = f"`{context.command(stage, *again)}` resumes from here"
    if result.error is not None:
        raise result.error


def report_chain(context: Context, result: RunResult) -> None:
    """Write the reports, unless nothing was done and they exist; the page only of a chain that succeeded."""
    if result.up_to_date and all((context.folder / name).is_file() for name in (REPORT, PAGE)):
        return
    if result.error is None:
        from maskdet.pipeline.run_files import write_run_page

        write_run_page(context)
    write_report(STAGES, context, result)


def finish_chain(context: Context, options: RunOptions, result: RunResult) -> Path:
    """The report's path. Raises the error that ended the chain, with the next step."""
    if result.error is not None:
        if not _is_of_settings(context, result.error):
            result.error.hint = _next_step(context, options, result.error.hint)
        raise result.error
    return context.folder / REPORT


def _is_of_settings(context: Context, error: MaskdetError) -> bool:
    """Whether it is about a value that the command line sets, so that the same command would repeat it."""
    told = f"{error.what} {error.hint}"
    options = zip(context.arguments, context.arguments[1:], strict=False)
    return any(text.partition("=")[0] in told for option, text in options if option == "--set")


def _next_step(context: Context, options: RunOptions, hint: str) -> str:
    """The error's own hint, then the command line that resumes from here."""
    limits = [f"--to={options.end}"] if options.end else []
    resume = ["--resume"] if can_resume(STAGES, context) and "--force" not in hint else []
    again = f"`{context.command('run', *limits, *resume)}` resumes from here"
    return f"{hint}; then {again}" if hint else again
