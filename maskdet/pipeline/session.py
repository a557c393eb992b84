"""Opening a pipeline file, for the commands and the Python API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskdet.pipeline.load import default_pipeline, load_pipeline
from maskdet.pipeline.places import DEFAULT_CONFIG, RUNS
from maskdet.pipeline.run import results_folder
from maskdet.pipeline.schema import PipelineFile
from maskdet.pipeline.stage import Context


def open_pipeline(config: Path | None, overrides: Sequence[str], runs: Path) -> Context:
    """Load and validate the pipeline file; None means DEFAULT_CONFIG."""
    named = ("-c", str(config)) if config else ()
    return _context(load_pipeline(config or DEFAULT_CONFIG, overrides), named, overrides, runs)


def open_defaults(overrides: Sequence[str], runs: Path) -> Context:
    """The defaults, for commands that need no data set."""
    return _context(default_pipeline(overrides), (), overrides, runs)


def _context(pipeline: PipelineFile, named: tuple[str, ...], overrides: Sequence[str], runs: Path) -> Context:
    sets = [part for text in overrides for part in ("--set", text)]
    folder = [] if runs == RUNS else ["--runs-dir", str(runs)]
    return Context(pipeline, results_folder(runs, pipeline.name), arguments=(*named, *sets, *folder))
