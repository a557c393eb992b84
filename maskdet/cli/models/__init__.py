"""`maskdet models ...`: the registry, one thin module per command."""

from __future__ import annotations

import typer

from maskdet.cli.models.diff import diff
from maskdet.cli.models.history import history
from maskdet.cli.models.listing import listing
from maskdet.cli.models.promote import promote
from maskdet.cli.models.prune import prune
from maskdet.cli.models.publish import publish
from maskdet.cli.models.register import register
from maskdet.cli.models.rollback import rollback
from maskdet.cli.models.show import show
from maskdet.cli.models.signing import keygen, sign
from maskdet.cli.models.verify import verify

models = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Versions of a model with their lineage, and aliases such as champion.",
)
models.command("list")(listing)
models.command("show")(show)
models.command("diff")(diff)
models.command("register")(register)
models.command("promote")(promote)
models.command("rollback")(rollback)
models.command("history")(history)
models.command("verify")(verify)
models.command("prune")(prune)
models.command("sign")(sign)
models.command("keygen")(keygen)
models.command("publish")(publish)
