"""`maskdet models prune`: remove old versions that nothing needs."""

from __future__ import annotations

from typing import Annotated

import typer

from maskdet.cli.models.options import AsJson, By, ModelName, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder


def prune(
    keep: Annotated[int, typer.Option("--keep", metavar="N", min=1, help="How many of the newest to keep.")],
    name: ModelName = "",
    yes: Annotated[bool, typer.Option("--yes", help="Remove them; without it they are only listed.")] = False,
    by: By = "",
    config: Config = None,
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Remove old versions, after showing which.

    A version stays if an alias points to it, if a rollback would return to it, or if it is the parent of a
    version that stays.
    """
    from maskdet.cli.console import print_lines
    from maskdet.registry.actor import actor
    from maskdet.registry.pruning import prune as remove

    opened = open_registry(config, registry)
    plan = remove(opened, opened.only(name), keep, by or actor(), dry_run=not yes)
    if as_json:
        print_json({"removed": [one.number for one in plan.removed], "kept": plan.kept, "done": yes})
        return
    word = "removed" if yes else "would remove"
    print_lines(f"{word} {one.reference} ({one.record.bundle[:12]})" for one in plan.removed)
    print_lines(f"kept version {number}: {why}" for number, why in sorted(plan.kept.items()))
    if not plan.removed:
        print_lines(["nothing to remove"])
    elif not yes:
        print_lines(["nothing was removed; --yes removes them"])
