"""`maskdet run`: the whole chain, from the VOC folder to a model that can be served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import RUNS, Config, Overrides, Runs
from maskdet.cli.session import advance, open_pipeline

if TYPE_CHECKING:
    from maskdet.pipeline.outcome import RunOptions, RunResult
    from maskdet.pipeline.stage import Context


def run(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="PIPELINE", help="Pipeline file, the same as --config.", show_default=False),
    ] = None,
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="STAGE", help="Begin here and take earlier stages as they are."),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="STAGE", help="Stop after this stage.")] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Run the chosen stages even if up to date; start over what is unfinished."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would run, and write nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished training.")] = False,
) -> None:
    """Run prepare, config, train, eval and export.

    A stage whose inputs have not changed is skipped.
    """
    from maskdet.pipeline.outcome import RunOptions
    from maskdet.pipeline.stages import STAGES

    context = open_pipeline(_one(file, config), overrides or [], runs)
    forced = frozenset(stage.name for stage in STAGES) if force else frozenset()
    options = RunOptions(start, end, force=forced, dry_run=dry_run, resume=resume)
    if dry_run:
        _finish_dry(advance(context, options))
    else:
        _finish(context, options, advance(context, options, then=_report))


def _one(file: Path | None, config: Path | None) -> Path | None:
    if file is not None and config is not None and file != config:
        from maskdet.errors import UsageError

        raise UsageError(f"two pipeline files were given, {file} and {config}", "give one")
    return file or config


def _finish_dry(result: RunResult) -> None:
    from maskdet.cli.console import print_lines

    if result.error is not None:
        raise result.error
    print_lines(["", "everything is up to date" if result.up_to_date else "dry run: nothing was written"])


def _report(context: Context, result: RunResult) -> None:
    from maskdet.pipeline.report import REPORT_NAME, write_report
    from maskdet.pipeline.stages import STAGES

    if not (result.up_to_date and (context.folder / REPORT_NAME).is_file()):
        write_report(STAGES, context, result)


def _finish(context: Context, options: RunOptions, result: RunResult) -> None:
    from maskdet.cli.console import print_lines, shown
    from maskdet.pipeline.report import REPORT_NAME

    if result.error is not None:
        result.error.hint = _next_step(context, options, result.error.hint)
        raise result.error
    report = shown(context.folder / REPORT_NAME)
    print_lines(["", *(["everything is up to date"] if result.up_to_date else []), f"report: {report}"])


def _next_step(context: Context, options: RunOptions, hint: str) -> str:
    """The error's own hint, then the command line that goes on from here."""
    from maskdet.pipeline.run import can_resume
    from maskdet.pipeline.stages import STAGES

    limits = [f"--to={options.end}"] if options.end else []
    resume = ["--resume"] if can_resume(STAGES, context) and "--force" not in hint else []
    again = f"`{context.command('run', *limits, *resume)}` goes on from here"
    return f"{hint}; then {again}" if hint else again
