"""A project as its pipeline file tells it to the CI files."""

from __future__ import annotations

from pathlib import Path

from maskdet.pipeline.ci.workflows import CiProject, within
from maskdet.pipeline.file.load import load_pipeline
from maskdet.pipeline.places import RUNS


def project_of(pipeline: Path, folder: Path) -> CiProject:
    """The project in `folder`. Raises PipelineFileError, and UsageError like `within`."""
    told = load_pipeline(pipeline)
    return CiProject(
        folder=folder.resolve(),
        pipeline=within(pipeline, folder),
        data=tuple(within(each.root, folder) for each in told.data.every_root),
        run=f"{RUNS}/{told.name}",
        registry=within(told.registry.root, folder),
        frozen=within(told.data.frozen_val, folder) if told.data.frozen_val else "",
    )
