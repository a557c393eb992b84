"""Options and output shared by the commands of `maskdet models`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskdet.cli.options import RegistryFolder
from maskdet.cli.session import open_serving, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.pipeline.running.stage import Context
    from maskdet.registry.registry import Registry

VersionName = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="Such as face-mask@3 or face-mask@champion; just 3 or champion if there is one model only.",
    ),
]
ModelName = Annotated[
    str,
    typer.Argument(metavar="[NAME]", help="The model; not needed if there is one only.", show_default=False),
]
Alias = Annotated[
    str, typer.Option("--alias", metavar="ALIAS", help="Any name, such as champion or challenger.")
]
By = Annotated[
    str,
    typer.Option(
        "--by", metavar="NAME", help="Who, for the record.", show_default="the CI job's actor or the user"
    ),
]
Expect = Annotated[
    int | None,
    typer.Option(
        "--expect",
        metavar="NUMBER",
        help="Fail if the alias no longer points to this version; 0 means that it must not exist yet.",
        show_default=False,
    ),
]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the record.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def open_project(config: Path | None, folder: RegistryFolder) -> Context:
    """The pipeline file, or its defaults; the option and the environment choose another registry."""
    return open_serving(config, with_flags(None, {"registry.root": folder}), RUNS, named=True)


def open_registry(config: Path | None, folder: RegistryFolder) -> Registry:
    """The registry of the option, the environment, the pipeline file, or ./models."""
    from maskdet.pipeline.references.models import registry_of

    return registry_of(open_project(config, folder))


def print_json(value: Any) -> None:
    """The value on standard output."""
    from maskdet.cli.console import print_lines
    from maskdet.system.files import json_text

    print_lines(json_text(value).splitlines())


def day(moment: str) -> str:
    """A record's time as people read it: 2026-11-25 23:59 UTC."""
    return f"{moment[:10]} {moment[11:16]} UTC"
