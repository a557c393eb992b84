"""The gates after the chain: which models meet, and where the report goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskdet.artefacts import GATES, MANIFEST, PARITY
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import EnvironmentProblem, RegistryError, StageError, UsageError
from maskdet.files import staged_folder, write_json, write_text
from maskdet.gates.gates import Absent, Contender, GateJob, judge
from maskdet.gates.markdown import markdown_report
from maskdet.gates.report import GateReport
from maskdet.gates.settings import NONE
from maskdet.gates.sheet import draw_deciding
from maskdet.pipeline.models import existing_model, model_of, registry_of
from maskdet.pipeline.outcome import RunResult
from maskdet.pipeline.stage import Context

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
    champion: str | None = None
    explain: Path | None = None
    report: GateReport | None = field(default=None, init=False)

    def __call__(self, context: Context, result: RunResult) -> None:
        if result.error is not None:
            return
        job = GateJob(
            challenger=_contender(
                model_of(context, self.challenger), str(self.challenger or context.pipeline.name)
            ),
            champion=_champion(context, self.champion),
            manifest=context.path("prepare", MANIFEST),
            settings=context.pipeline.gates,
        )
        self.report = judge(job, track=context.track)
        write_gates(self.report, context.path(FOLDER))
        if self.explain is not None:
            explain_gates(self.report, load_manifest(context.path("prepare", MANIFEST)).files, self.explain)


def write_gates(report: GateReport, folder: Path) -> None:
    """gates.json and gates.md, as one."""
    with staged_folder(folder) as out:
        write_json(out / GATES, report.to_json())
        write_text(out / "gates.md", markdown_report(report))


def explain_gates(report: GateReport, files: Mapping[str, Path], folder: Path) -> None:
    """Draw the pictures that decide: regressions.png and gains.png where there are some; deciding.json."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pictures in (("regressions", report.regressions), ("gains", report.gains)):
        target = folder / f"{name}.png"
        target.unlink(missing_ok=True)
        if pictures:
            draw_deciding(pictures, files, target)
    write_json(folder / "deciding.json", report.to_json()["deciding"])


def _champion(context: Context, named: str | None) -> Contender | Absent:
    named = named or context.pipeline.gates.champion
    if named is None:
        return Absent("no champion yet: no comparison was asked for by gates.champion", first=True)
    if named == NONE:
        return Absent("no champion yet: gates.champion is none", first=True)
    try:
        return _contender(existing_model(Path(named), registry_of(context)), named)
    except (EnvironmentProblem, RegistryError, StageError, UsageError) as error:
        return Absent(f"the champion {named} is missing: {error.what}", first=False)


def _contender(model: Path, named: str) -> Contender:
    return Contender(named, model, _parity(model.parent / PARITY))


def _parity(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    try:
        parity: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StageError(f"{path} is damaged: {error}", "run `maskdet export --force`") from error
    return parity
