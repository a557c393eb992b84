"""`maskdet serve`: answer HTTP requests with an exported model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskdet.cli.options import RUNS, Config, ModelFile, Overrides, Runs
from maskdet.cli.session import model_of, open_serving, with_flags


def serve(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    model: ModelFile = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="ADDRESS", help="Address to bind. Sets serve.host.", show_default="127.0.0.1"
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="0 takes a free one. Sets serve.port.", show_default="8866")
    ] = None,
    inbox: Annotated[
        Path | None,
        typer.Option(
            "--inbox", metavar="DIR", help="Keep what the web page corrects. Sets serve.inbox."
        ),
    ] = None,
) -> None:
    """Answer HTTP requests with a model.

    Until Ctrl-C or SIGTERM; from this machine only, unless --host says else.
    """
    chosen = with_flags(
        overrides, {"serve.host": host, "serve.port": port, "serve.inbox": inbox and inbox.absolute()}
    )
    context = open_serving(config, chosen, runs, model)
    bundle = model_of(context, model)

    from maskdet.cli.console import print_lines, shown
    from maskdet.serving.server import serve as serve_bundle

    serve_bundle(
        bundle, context.pipeline.serve, lambda url: print_lines([f"serving {shown(bundle)} at {url}"])
    )
