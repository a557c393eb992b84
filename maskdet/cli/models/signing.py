"""`maskdet models sign` and `keygen`: signatures that a server can require."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskdet.cli.models.options import By, VersionName, open_registry
from maskdet.cli.options import Config, RegistryFolder


def sign(
    version: VersionName,
    key: Annotated[Path, typer.Option("--key", metavar="PRIVATE_KEY", help="The key to sign with.")],
    by: By = "",
    config: Config = None,
    registry: RegistryFolder = None,
) -> None:
    """Sign a version in the OpenSSF model-signing format. The signature covers all its files."""
    from maskdet.cli.console import print_lines
    from maskdet.registry.actor import actor
    from maskdet.registry.layout import SIGNATURE
    from maskdet.registry.signing import sign_version

    opened = open_registry(config, registry)
    found = opened.find(version)
    sign_version(opened.layout(found.model), found, key, by or actor())
    print_lines([f"signed {found.reference}: {found.folder / SIGNATURE}"])


def keygen(
    name: Annotated[Path, typer.Argument(metavar="NAME", help="Writes NAME.key and NAME.pub.")],
) -> None:
    """Make a pair of keys: NAME.key signs and stays secret, NAME.pub checks."""
    from maskdet.cli.console import print_lines
    from maskdet.registry.signing import make_keys

    private, public = name.with_name(f"{name.name}.key"), name.with_name(f"{name.name}.pub")
    make_keys(private, public)
    print_lines([f"wrote {private}, which signs: keep it secret", f"wrote {public}, which checks"])
