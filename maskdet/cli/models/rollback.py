"""`maskdet models rollback`: let an alias point to what it pointed to before."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.models.options import Alias, AsJson, By, Expect, ModelName, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder


def rollback(
    name: ModelName = "",
    alias: Alias = "champion",
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the record.")] = "",
    by: By = "",
    expect: Expect = None,
    config: Config = None,
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Let an alias point to the version it pointed to before.

    Each further call goes one step further back.
    """
    from maskdet.cli.console import print_lines

    opened = open_registry(config, registry)
    model = opened.only(name)
    move = opened.rollback(model, alias, by=by, why=why, expected=expect)
    if as_json:
        print_json(move.model_dump(mode="json"))
        return
    print_lines(
        [f"{move.alias} of {model}: version {move.before} → version {move.after} again, by {move.by}"]
    )
