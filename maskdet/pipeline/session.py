"""Opening a pipeline file, for the commands and the Python API."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from maskdet.pipeline.file.load import default_pipeline, load_pipeline, load_served
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.places import DEFAULT_CONFIG, RUNS
from maskdet.pipeline.running.run import results_folder
from maskdet.pipeline.running.stage import Context

REGISTRY_VARIABLE: Final = "MASKDET_REGISTRY"
"""Environment variable for the folder of the registry."""


def open_pipeline(config: Path | None, overrides: Sequence[str], runs: Path) -> Context:
    """Load and validate the pipeline file; None means DEFAULT_CONFIG."""
    return _opened(config, overrides, runs, load_pipeline)


def open_defaults(overrides: Sequence[str], runs: Path) -> Context:
    """The defaults, for commands that need no data set."""
    return _context(default_pipeline(_with_environment(overrides)), (), overrides, runs)


def open_present(config: Path | None, overrides: Sequence[str], runs: Path) -> Context:
    """The pipeline file if one is named or present, else the defaults; for commands that need no data set."""
    if config is None and not DEFAULT_CONFIG.exists():
        return open_defaults(overrides, runs)
    return open_served(config, overrides, runs, named=True)


def open_served(config: Path | None, overrides: Sequence[str], runs: Path, *, named: bool) -> Context:
    """Like open_pipeline, with a file as `load_served` accepts it."""
    return _opened(config, overrides, runs, partial(load_served, named=named))


def _opened(
    config: Path | None, overrides: Sequence[str], runs: Path, load: Callable[[Path, list[str]], PipelineFile]
) -> Context:
    file, named = config or DEFAULT_CONFIG, ("-c", str(config)) if config else ()
    pipeline = load(file, _with_environment(overrides))
    return replace(_context(pipeline, named, overrides, runs), file=file)


def _with_environment(overrides: Sequence[str]) -> list[str]:
    """The environment is stronger than the file, and weaker than options."""
    root = os.environ.get(REGISTRY_VARIABLE)
    return [f"registry.root={json.dumps(root)}", *overrides] if root else list(overrides)


def _context(pipeline: PipelineFile, named: tuple[str, ...], overrides: Sequence[str], runs: Path) -> Context:
    sets = [part for text in overrides for part in ("--set", text)]
    folder = [] if runs == RUNS else ["--runs-dir", str(runs)]
    return Context(pipeline, results_folder(runs, pipeline.name), arguments=(*named, *sets, *folder))
