"""A results folder for the reports: its stages' records beside its artefacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from maskdet.artefacts import PAGE
from maskdet.errors import StageError
from maskdet.pipeline.cache import read_record
from maskdet.pipeline.stage import Context
from maskdet.pipeline.stages import STAGES
from maskdet.reporting.page import write_page
from maskdet.reporting.run_files import RunFiles, StageFacts
from maskdet.training.networks.registry import variant


def run_files(context: Context) -> RunFiles:
    """The run as its reports read it."""
    return RunFiles(
        name=context.pipeline.name,
        folder=context.folder,
        input_size=variant(context.pipeline.model.variant).input_size,
        stages=tuple(_facts(context)),
    )


def write_run_page(context: Context) -> Path:
    """Write report.html of the run as far as it got. Raises StageError if nothing has run."""
    run = run_files(context)
    if not run.stages:
        raise StageError(f"{context.folder} holds no run", f"run `{context.command('run')}` first")
    page = context.folder / PAGE
    write_page(run, page)
    return page


def _facts(context: Context) -> Iterator[StageFacts]:
    for stage in STAGES:
        record = read_record(context, stage)
        if record is not None:
            yield StageFacts(stage.name, record.finished, record.seconds, record.figure, record.inputs)
