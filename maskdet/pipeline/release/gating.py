"""The gates after the chain: which models meet, and where the report goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskdet.artefacts import GATES, MANIFEST, PARITY, document_if_any
from maskdet.dataset.manifest import load_manifest
from maskdet.detector.shipped import shipped_model, shipped_names, shipped_pictures
from maskdet.errors import EnvironmentProblem, StageError, UsageError
from maskdet.gates.gates import Absent, Contender, GateJob, judge
from maskdet.gates.markdown import markdown_report
from maskdet.gates.report import GateReport
from maskdet.gates.settings import NONE
from maskdet.gates.sheet import draw_deciding
from maskdet.pipeline.references.models import existing_model, model_of, registry_of
from maskdet.pipeline.release.lineage import picture_records, start_of_run
from maskdet.pipeline.running.outcome import RunResult
from maskdet.pipeline.running.stage import Context
from maskdet.registry.layout import PICTURES
from maskdet.registry.pictures import inherited, read_pictures
from maskdet.registry.records import PictureRecord
from maskdet.registry.reference import CHAMPION, Reference, is_reference, parse_reference
from maskdet.registry.registry import Registry
from maskdet.system.files import sha256_file, staged_folder, write_json, write_text

FOLDER = "gates"
"""Beside the stages' folders: gates.json and gates.md."""


@dataclass(slots=True)
class Gating:
    """Judge a challenger once its inputs are up to date; see pipeline.run.Then.

    challenger: a model, or None for the one that the pipeline exported; champion: a model, none, or None for
    that of the pipeline file; explain: a folder for drawings of the pictures that decide.
    The report is written whatever the verdict; `report.require()` raises GateRefusal.
    """

    challenger: Path | None = None
    champion: Path | None = None
    explain: Path | None = None
    report: GateReport | None = field(default=None, init=False)

    def __call__(self, context: Context, result: RunResult) -> None:
        if result.error is not None:
            return
        job = GateJob(
            challenger=_challenger(context, self.challenger),
            champion=_champion(context, self.champion),
            manifest=context.path("prepare", MANIFEST),
            settings=context.pipeline.gates,
        )
        self.report = judge(job, track=context.track)
        write_gates(self.report, context.path(FOLDER))
        if self.explain is not None:
            explain_gates(self.report, load_manifest(job.manifest).files, self.explain)


def write_gates(report: GateReport, folder: Path) -> None:
    """gates.json and gates.md, as one."""
    with staged_folder(folder) as out:
        write_json(out / GATES, report.to_json())
        write_text(out / "gates.md", markdown_report(report))


def named_champion(context: Context) -> str:
    """The hash of the model that gates.champion names at present, "" if it names none or one that is missing.

    Raises like `Gating`.
    """
    if context.pipeline.gates.champion is None:
        return ""
    found = _champion(context, None)
    return "" if isinstance(found, Absent) else sha256_file(found.model)


def explain_gates(report: GateReport, files: Mapping[str, Path], folder: Path) -> None:
    """Draw the pictures that decide: regressions.png, gains.png, deciding.json; `files` by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pictures in (("regressions", report.regressions), ("gains", report.gains)):
        target = folder / f"{name}.png"
        target.unlink(missing_ok=True)
        if pictures:
            draw_deciding(pictures, files, target)
    write_json(folder / "deciding.json", report.to_json()["deciding"])


def _challenger(context: Context, named: Path | None) -> Contender:
    if named is not None:
        return _contender(model_of(context, named), str(named))
    model, name = model_of(context, None), context.pipeline.name
    own = picture_records(load_manifest(context.path("prepare", MANIFEST)))
    start = start_of_run(context, registry_of(context), name)
    seen = (*own, *inherited(start.pictures, own))
    return Contender(name, model, _parity(model), seen)


def _champion(context: Context, named: Path | None) -> Contender | Absent:
    """Raises RegistryError for a champion that is registered but damaged."""
    named, registry = named or context.pipeline.gates.champion, registry_of(context)
    if named is None:
        reference = Reference(context.pipeline.name, CHAMPION)
        if not _is_registered(registry, reference):
            return Absent(
                f"no champion yet: {reference} is not in the registry {registry.folder}", first=True
            )
        named = Path(str(reference))
    if str(named) == NONE:
        return Absent("no champion yet: gates.champion is none", first=True)
    if is_reference(named):
        if not _is_registered(registry, parse_reference(str(named))):
            return _missing(named, f"it is not in the registry {registry.folder}")
        return _contender(existing_model(named, registry), str(named))
    try:
        return _contender(existing_model(named), str(named))
    except (EnvironmentProblem, StageError, UsageError) as error:
        return _missing(named, error.what)


def _missing(named: Path, why: str) -> Absent:
    return Absent(f"the champion {named} is missing: {why}", first=False)


def _is_registered(registry: Registry, wanted: Reference) -> bool:
    if wanted.model not in registry.models():
        return False
    if wanted.number is not None:
        return wanted.number in registry.layout(wanted.model).numbers()
    return wanted.wanted in registry.aliases(wanted.model)


def _contender(model: Path, named: str) -> Contender:
    return Contender(named, model, _parity(model), _pictures(model))


def _pictures(model: Path) -> tuple[PictureRecord, ...] | None:
    """What a model has seen: of a registered version, and of a shipped model. Raises RegistryError."""
    beside = model.parent / PICTURES
    if beside.is_file():
        return read_pictures(beside)
    shipped = next((name for name in shipped_names() if model == shipped_model(name)), None)
    listed = shipped_pictures(shipped) if shipped else None
    return read_pictures(listed) if listed else None


def _parity(model: Path) -> Mapping[str, Any] | None:
    return document_if_any(model.parent / PARITY, "maskdet export --force")
