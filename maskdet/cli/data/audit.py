"""`maskdet data audit`: find labels that a model contradicts with certainty."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import SHIPPED, Config, Overrides, RegistryFolder, Runs
from maskdet.cli.session import open_pipeline, run_stage, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.pipeline.audit import LabelAudit


class AuditedPart(str, Enum):
    """Pictures that are audited."""

    TRAIN = "train"
    VAL = "val"
    ALL = "all"


def audit(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help=f"An exported .onnx, a results folder, models:NAME@ALIAS, or {SHIPPED}.",
            show_default="of the pipeline file, else the shipped one",
        ),
    ] = None,
    registry: RegistryFolder = None,
    part: Annotated[AuditedPart, typer.Option("--part", help="Pictures to audit.")] = AuditedPart.ALL,
    top: Annotated[
        int,
        typer.Option(
            "--top",
            metavar="N",
            min=1,
            max=2000,
            help="List at most this many labels, the most suspicious first.",
        ),
    ] = 100,
    to_inbox: Annotated[
        Path | None,
        typer.Option("--to-inbox", metavar="DIR", help="Propose the pictures for review in this inbox."),
    ] = None,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            "--unlabelled",
            metavar="FILE",
            help="Add the faces of train without a label to this file, for data.unlabelled.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Where the page goes.", show_default="runs/NAME/audit-MODEL"
        ),
    ] = None,
) -> None:
    """List the labels that are probably wrong, for a person to decide.

    Compares a model with the labels: missing labels, wrong classes, badly placed boxes. Writes a page with
    drawings, JSON and CSV.
    """
    from maskdet.pipeline.audit import LabelAudit, auditing_model

    context = open_pipeline(config, with_flags(overrides, {"registry.root": registry}), runs)
    made = LabelAudit(auditing_model(context, model), part.value, top, to_inbox, unlabelled, out)
    run_stage(context, "prepare", table=False, then=made)
    _tell(made)


def _tell(made: LabelAudit) -> None:
    from maskdet.cli.console import print_lines, print_notes, shown
    from maskdet.judging.audit.report import CSV, JSON, PAGE

    if made.result is None or made.out is None:
        return
    result = made.result
    disputed = ", ".join(f"{kind} {number}" for kind, number in result.disputed.items())
    listed = ", ".join(f"{kind} {number}" for kind, number in result.counts().items())
    print_notes(result.notes)
    print_lines(
        [
            f"{result.model} against {result.labels} labels in {result.pictures} pictures: {disputed}",
            f"the {len(result.suspects)} most suspicious: {listed}",
            *([f"proposed {made.proposed} pictures for review in {made.inbox}"] if made.inbox else []),
            *([f"added {made.noted} faces to {made.unlabelled}"] if made.unlabelled else []),
            *(f"wrote {shown(made.out.absolute() / name)}" for name in (PAGE, JSON, CSV)),
        ]
    )
