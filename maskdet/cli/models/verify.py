"""`maskdet models verify`: whether the registry's files are what was registered, and signed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskdet.cli.models.options import AsJson, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder


def verify(
    version: Annotated[
        str,
        typer.Argument(
            metavar="[VERSION]", help="One version, or a model; by default everything.", show_default=False
        ),
    ] = "",
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="PUBLIC_KEY", help="Also require each version's signature.", show_default=False
        ),
    ] = None,
    config: Config = None,
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Hash every file again and check records, aliases and signatures. Fails if anything is wrong."""
    from maskdet.cli.console import print_lines
    from maskdet.errors import RegistryError
    from maskdet.registry.verification import verify_registry

    checked = verify_registry(open_registry(config, registry), version, key)
    faults = [fault for one in checked for fault in one.faults]
    if as_json:
        print_json([one.to_json() for one in checked])
    else:
        print_lines(one.describe() for one in checked)
    if faults:
        listing = "\n".join(f"  {fault}" for fault in faults)
        signing = "; `maskdet models sign` signs a version" if key else ""
        raise RegistryError(
            f"faults in the registry: {len(faults)}\n{listing}",
            f"restore changed files from a backup{signing}",
        )
