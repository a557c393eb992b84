"""A results folder for the reports: its stages' records beside its artefacts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from maskdet.artefacts import PAGE
from maskdet.errors import RegistryError, StageError
from maskdet.pipeline.references.models import registry_of
from maskdet.pipeline.running.cache import read_record
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages import STAGES
from maskdet.registry.reference import CHAMPION
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version
from maskdet.reporting.page import write_page
from maskdet.reporting.run_files import RunFiles, StageFacts, VersionFacts
from maskdet.training.networks.registry import variant


def run_files(context: Context) -> RunFiles:
    """The run as its reports read it."""
    run = RunFiles(
        name=context.pipeline.name,
        folder=context.folder,
        input_size=variant(context.pipeline.model.variant).input_size,
        stages=tuple(_facts(context)),
    )
    return replace(run, version=_registered(context, run.bundle_hash))


def write_run_page(context: Context) -> Path:
    """Write report.html of the run as far as it got. Raises StageError if nothing has run."""
    run = run_files(context)
    if not run.stages:
        raise StageError(f"{context.folder} holds no run", f"run `{context.command('run')}` first")
    page = context.folder / PAGE
    write_page(run, page)
    return page


def _registered(context: Context, bundle: str) -> VersionFacts | None:
    """The run's bundle in the registry; None if it is not there, or if the registry cannot be read."""
    registry, model = registry_of(context), context.pipeline.name
    try:
        known = registry.versions(model) if bundle and model in registry.models() else ()
        version = next((one for one in known if one.record.bundle == bundle), None)
        return None if version is None else _version_facts(registry, version)
    except RegistryError:
        return None


def _version_facts(registry: Registry, version: Version) -> VersionFacts:
    lineage, move = version.record.lineage, registry.last_move(version.model, CHAMPION)
    aliases = registry.aliases(version.model)
    return VersionFacts(
        reference=version.reference,
        aliases=tuple(name for name, number in aliases.items() if number == version.number),
        start=f"{lineage.start} {lineage.parent}".strip(),
        last_move="" if move is None else f"{move.describe()}, {move.by}, {move.at}: {move.why}",
        commit=lineage.code.get("commit", ""),
    )


def _facts(context: Context) -> Iterator[StageFacts]:
    for stage in STAGES:
        record = read_record(context, stage)
        if record is not None:
            yield StageFacts(stage.name, record.finished, record.seconds, record.figure, record.inputs)
