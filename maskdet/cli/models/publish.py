"""`maskdet models publish`: a folder that is ready for a model repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskdet.cli.models.options import VersionName, open_registry
from maskdet.cli.options import Config, RegistryFolder


def publish(
    version: VersionName,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write it; it must be empty.")],
    config: Config = None,
    registry: RegistryFolder = None,
) -> None:
    """Write a folder that is ready for a model repository, such as Hugging Face's. Nothing is uploaded."""
    from maskdet.cli.console import print_lines
    from maskdet.registry.publication import publish as write

    names = write(open_registry(config, registry).find(version), folder)
    print_lines(f"wrote {folder / name}" for name in names)
