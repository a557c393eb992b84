"""`maskdet models promote`: let an alias point to a version."""

from __future__ import annotations

from maskdet.cli.models.options import Alias, AsJson, By, Expect, VersionName, Why, open_project, print_json
from maskdet.cli.options import Config, RegistryFolder


def promote(
    version: VersionName,
    why: Why,
    alias: Alias = "champion",
    by: By = "",
    expect: Expect = None,
    config: Config = None,
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias at a version; a server that follows the alias loads it.

    If someone else moves the alias meanwhile, the command fails and says who.
    """
    from maskdet.cli.models.moves import moved, tell_trackers
    from maskdet.pipeline.references.models import registry_of

    context = open_project(config, registry)
    opened = registry_of(context)
    found = opened.find(version)
    seen = opened.aliases(found.model).get(alias, 0) if expect is None else expect
    move = opened.set_alias(found.model, alias, found.number, by=by, why=why, expected=seen)
    if as_json:
        print_json(move.model_dump(mode="json"))
    else:
        moved(found.model, move)
    tell_trackers(context, found, alias)
