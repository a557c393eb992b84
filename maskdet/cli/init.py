"""`maskdet init`: write a commented pipeline file for a VOC folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskdet.pipeline.ci.workflows import CiKind
from maskdet.pipeline.places import DEFAULT_CONFIG


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DATA_DIR", help="Folder with JPEGImages/ and Annotations/.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    ci: Annotated[
        CiKind | None,
        typer.Option(
            "--ci", help="Also write the files that retrain in CI; keeps an existing pipeline file."
        ),
    ] = None,
) -> None:
    """Write a commented pipeline file for a VOC folder.

    Every key is explained; labels and likely aliases come from the folder.
    """
    if ci is None or force or not out.exists():
        _write_pipeline(folder, out, force)
    if ci is not None:
        _write_ci(ci, out, force)


def _write_pipeline(folder: Path, out: Path, force: bool) -> None:
    from maskdet.cli.console import print_lines
    from maskdet.errors import UsageError
    from maskdet.extras import require
    from maskdet.system.files import write_text

    require("data", "lxml", asks="init needs")
    from maskdet.dataset.findings import counts
    from maskdet.dataset.reading.image_sets import LISTS, shown
    from maskdet.pipeline.file.scaffold import scaffold, survey
    from maskdet.wording.commands import command_line

    if out.exists() and not force:
        raise UsageError(
            f"{out} already exists", "choose another path with --out, or overwrite it with --force"
        )
    found = survey(folder)
    write_text(out, scaffold(found, out))
    lists = f"data.split.method: lists keeps the parts of {LISTS} ({shown(found.lists)})"
    named = [] if out == DEFAULT_CONFIG else [out]
    asked = [
        f"data.roles: the name '{label}' is unclear: state whether its faces are masked, bare or worn-wrong"
        for label in found.unknown
    ]
    kept = [lists] if found.is_listed else []
    prepare, run = (command_line(verb, *named) for verb in ("prepare", "run"))
    passed = f"passed over: {counts(found.passed_over)}; `{prepare}` says which files these are"
    lost = [passed] if found.passed_over else []
    print_lines([f"wrote {out}: {found.summary()}", *lost, *kept, *asked, f"next: {run}"])


def _write_ci(kind: CiKind, pipeline: Path, force: bool) -> None:
    from maskdet.cli.console import print_lines
    from maskdet.errors import UsageError
    from maskdet.pipeline.ci.project import project_of
    from maskdet.system.files import write_text

    files = project_of(pipeline, Path.cwd()).files(kind)
    for name in files:
        if Path(name).exists() and not force:
            raise UsageError(f"{name} already exists", "overwrite it with --force")
    for name, text in files.items():
        write_text(Path(name), text)
        print_lines([f"wrote {name}"])
