"""`maskdet models rollback`: let an alias point to what it pointed to before."""

from __future__ import annotations

from maskdet.cli.models.options import Alias, AsJson, By, Expect, ModelName, Why, open_project, print_json
from maskdet.cli.options import Config, RegistryFolder


def rollback(
    name: ModelName = "",
    alias: Alias = "champion",
    why: Why = "",
    by: By = "",
    expect: Expect = None,
    config: Config = None,
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias back at its previous version.

    Each further call goes one step further back.
    """
    from maskdet.cli.models.moves import moved_back, tell_trackers
    from maskdet.pipeline.references.models import registry_of

    context = open_project(config, registry)
    opened = registry_of(context)
    model = opened.only(name)
    move = opened.rollback(model, alias, by=by, why=why, expected=expect)
    if as_json:
        print_json(move.model_dump(mode="json"))
    else:
        moved_back(model, move)
    tell_trackers(context, opened.version(model, move.after), alias)
