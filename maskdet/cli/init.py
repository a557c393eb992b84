"""`maskdet init`: write a commented pipeline file for a VOC folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DATA_DIR", help="Folder with JPEGImages/ and Annotations/.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")] = Path(
        "pipeline.yml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented pipeline file for a VOC folder.

    Every key is explained; labels and likely aliases come from the folder.
    """
    from maskdet.cli.console import print_lines
    from maskdet.errors import UsageError
    from maskdet.files import write_text
    from maskdet.pipeline.scaffold import scaffold, survey

    if out.exists() and not force:
        raise UsageError(
            f"{out} already exists", "choose another path with --out, or overwrite it with --force"
        )
    found = survey(folder)
    write_text(out, scaffold(found, out))
    named = "" if out == Path("pipeline.yml") else f" {out}"
    asked = [
        f"data.roles: the name '{label}' is unclear: state whether its faces are masked, bare or worn-wrong"
        for label in found.unknown
    ]
    print_lines([f"wrote {out}: {found.summary()}", *asked, f"next: maskdet run{named}"])
