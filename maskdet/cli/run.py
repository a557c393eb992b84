"""`maskdet run`: the whole chain, from the VOC folder to a model that can be served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import Config, Overrides, Runs
from maskdet.cli.session import advance, open_pipeline
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.pipeline.running.outcome import RunOptions, RunResult
    from maskdet.pipeline.running.stage import Context


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
        typer.Option(
            "--from", metavar="STAGE", help="Start at this stage and use the earlier results as they are."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="STAGE", help="Stop after this stage.")] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Run the chosen stages even if up to date; start unfinished work over."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run or be refused, and write nothing.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an unfinished training.")] = False,
    ci: Annotated[
        bool, typer.Option("--ci", help="Also judge, register and promote the model; never ask anything.")
    ] = False,
    promote: Annotated[
        bool | None,
        typer.Option(
            "--promote/--no-promote",
            help="With --ci: make a model that passes the gates the champion.",
            show_default="ci.promote",
        ),
    ] = None,
) -> None:
    """Run prepare, config, train, eval and export.

    A stage whose inputs have not changed is skipped. --ci goes on to the gates and the registry, and resumes
    what an earlier job left unfinished; a refused model is exit code 11.
    """
    from maskdet.pipeline.chain import chain_options, report_chain

    context = open_pipeline(_one(file, config), overrides or [], runs)
    if ci or promote is not None:
        _run_ci(context, promote, force, ci=ci, partly=bool(start or end or dry_run))
        return
    options = chain_options(start, end, force=force, dry_run=dry_run, resume=resume)
    if dry_run:
        _finish_dry(advance(context, options))
    else:
        _finish(context, options, advance(context, options, then=report_chain))


def _run_ci(context: Context, promote: bool | None, force: bool, *, ci: bool, partly: bool) -> None:
    from maskdet.cli.ci import run_ci
    from maskdet.errors import UsageError

    if not ci:
        raise UsageError("--promote and --no-promote belong to --ci", "add --ci")
    if partly:
        raise UsageError("--ci runs the whole chain", "leave out --from, --to and --dry-run")
    run_ci(context, promote=promote, force=force)


def _one(file: Path | None, config: Path | None) -> Path | None:
    if file is not None and config is not None and file != config:
        from maskdet.errors import UsageError

        raise UsageError(f"two pipeline files were given, {file} and {config}", "give only one")
    return file or config


def _finish_dry(result: RunResult) -> None:
    from maskdet.cli.console import print_lines

    if result.error is not None:
        raise result.error
    print_lines(["", "everything is up to date" if result.up_to_date else "dry run: nothing was written"])


def _finish(context: Context, options: RunOptions, result: RunResult) -> None:
    from maskdet.cli.console import print_lines, shown
    from maskdet.pipeline.chain import finish_chain

    report = finish_chain(context, options, result)
    print_lines(
        ["", *(["everything is up to date"] if result.up_to_date else []), f"report: {shown(report)}"]
    )
