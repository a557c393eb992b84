"""`maskdet bundle`: wrap a PicoDet that PaddleDetection exported into a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maskdet.export.wrapping.wrapping import WrapSummary
    from maskdet.wording.lexicon import Role

_NO_ROLE = "none"


def bundle(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="An .onnx from paddle2onnx, or an export's folder: infer_cfg.yml with an .onnx, or with "
            "model.pdmodel or model.json where Paddle is installed.",
        ),
    ],
    infer_cfg: Annotated[
        Path | None,
        typer.Option(
            "--infer-cfg",
            metavar="FILE",
            help="PaddleDetection's infer_cfg.yml.",
            show_default="beside MODEL",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="Bundle to write.", show_default="NAME_bundle.onnx here"
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The model's name.", show_default="MODEL's")
    ] = "",
    labels: Annotated[
        str,
        typer.Option(
            "--labels", metavar="A,B,C", help="Class names in order.", show_default="label_list of the file"
        ),
    ] = "",
    roles: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            metavar="LABEL=ROLE",
            help="masked, bare or worn-wrong, or none for what is no face. Needed where the name does not "
            "tell. Repeatable.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            metavar="SCORE",
            min=0,
            max=1,
            help="Lowest score that counts as a face.",
            show_default="draw_threshold of the file",
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option("--licence", metavar="NAME", help="The model's licence.", show_default="not stated")
    ] = "",
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures", metavar="DIR", help="Photographs for the proof.", show_default="drawn pictures"
        ),
    ] = None,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python",
            metavar="FILE",
            help="Interpreter that has Paddle and paddle2onnx.",
            show_default="this one",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Wrap a PicoDet that PaddleDetection exported.

    Takes exports with NMS, without it, and raw heads. Before it writes, it runs both on the same pictures and
    fails if their answers differ.
    """
    from maskdet.errors import UsageError
    from maskdet.pipeline.references.wrapped import require_onnx

    require_onnx()

    from maskdet.export.wrapping.sources import foreign_model
    from maskdet.export.wrapping.wrapping import LICENCE, WrapJob, wrap

    source = foreign_model(model, infer_cfg)
    stem = source.model.stem if source.is_onnx else model.resolve().name
    target = out or Path(f"{stem}_bundle.onnx")
    if target.exists() and not force:
        raise UsageError(f"{target} already exists", "choose another path with -o, or overwrite with --force")
    job = WrapJob(
        source,
        name=name or stem,
        labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
        roles=dict(_role(text) for text in roles or []),
        threshold=threshold,
        licence=licence or LICENCE,
        pictures=pictures,
        python=python,
    )
    _tell(wrap(job, target), target, drawn=pictures is None)


def _role(text: str) -> tuple[str, Role | None]:
    from typing import get_args

    from maskdet.errors import UsageError
    from maskdet.wording.lexicon import Role

    label, equals, wanted = text.rpartition("=")
    found = next((role for role in get_args(Role) if role == wanted), None)
    if not equals or (found is None and wanted != _NO_ROLE):
        raise UsageError(
            f"--role {text}: not LABEL=ROLE", f"roles are {', '.join(get_args(Role))} and {_NO_ROLE}"
        )
    return label, found


def _tell(summary: WrapSummary, target: Path, *, drawn: bool) -> None:
    from maskdet.cli.console import print_lines, print_notes
    from maskdet.wording.commands import command_line

    meta = summary.meta
    classes = ", ".join(f"{label} ({meta.roles.get(label, 'no role')})" for label in meta.labels)
    print_lines(
        [
            f"PicoDet {meta.input_size[1]}x{meta.input_size[0]}, {summary.export.form.value}: {classes}",
            f"same answers as PaddleDetection's postprocessing: {summary.proof.describe()}",
            f"wrote {target}",
            f"next: {command_line('serve', '--model', target)}",
        ]
    )
    if drawn:
        print_notes(["the proof ran on drawn pictures; --pictures DIR proves it on photographs with faces"])
