"""Options shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from maskdet.detector.catalogue import family_words

Config = Annotated[
    Path | None,
    typer.Option("-c", "--config", metavar="FILE", help="Pipeline file.", show_default="./pipeline.yml"),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key, such as train.epochs=1. Repeatable."),
]
Runs = Annotated[
    Path, typer.Option("--runs-dir", metavar="DIR", help="Where results go, one folder per pipeline.")
]
Force = Annotated[bool, typer.Option("--force", help="Run even if up to date; start unfinished work over.")]

SHIPPED: Final = f"a shipped model: {family_words()}"
"""The last of the kinds of model that an option takes."""

ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help=f"An exported .onnx, a results folder, models:NAME@ALIAS, or {SHIPPED}.",
        show_default="of the pipeline file",
    ),
]
RegistryFolder = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="DIR",
        help="Folder of registered models. Sets registry.root.",
        show_default="$MASKDET_REGISTRY or ./models",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port", metavar="PORT", min=1, max=65535, help="The server's port.", show_default="serve.port"
    ),
]
Tile = Annotated[
    bool,
    typer.Option("--tile", help="Also run on four overlapping tiles: for small faces, 5 times slower."),
]
Flip = Annotated[bool, typer.Option("--flip", help="Also run on the mirrored picture: 2 times slower.")]
