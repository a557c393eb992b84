"""`maskdet serve`: answer HTTP requests with exported models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import SHIPPED, Overrides, RegistryFolder, Runs
from maskdet.cli.session import open_serving, sources_of, stand_in, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maskdet.serving.engine.source import Source
    from maskdet.serving.settings import ServeSettings


def serve(
    config: Annotated[
        Path | None,
        typer.Option(
            "-c",
            "--config",
            metavar="FILE",
            help="Pipeline file, or PaddleHub's config.json.",
            show_default="./pipeline.yml",
        ),
    ] = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="[NAME=]FILE",
            help=f"An exported .onnx, models:NAME@ALIAS, which is followed, or {SHIPPED}. "
            "Repeatable with names; the first serves requests that name none.",
            show_default="of the pipeline file",
        ),
    ] = None,
    registry: RegistryFolder = None,
    require_signature: Annotated[
        Path | None,
        typer.Option(
            "--require-signature",
            metavar="PUBLIC_KEY",
            help="Load only registered models signed with this key. Sets serve.require_signature.",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="ADDRESS", help="Address to bind. Sets serve.host.", show_default="127.0.0.1"
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="PORT", help="0 picks a free port. Sets serve.port.", show_default="8866"
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", help="Processes sharing the port. Sets serve.workers.", show_default="1"
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="DEVICE", help="cpu, gpu or gpu:N. Sets serve.device.", show_default="cpu"
        ),
    ] = None,
    tensorrt: Annotated[
        Path | None,
        typer.Option(
            "--tensorrt",
            metavar="DIR",
            help="Run on TensorRT, whose engines are kept in this folder. Sets serve.tensorrt.",
        ),
    ] = None,
    watch: Annotated[
        bool | None,
        typer.Option("--watch", help="Load new bundles automatically. Sets serve.watch."),
    ] = None,
    inbox: Annotated[
        Path | None,
        typer.Option("--inbox", metavar="DIR", help="Where corrections and captures go. Sets serve.inbox."),
    ] = None,
    monitor: Annotated[
        Path | None,
        typer.Option("--monitor", metavar="DIR", help="Where statistics are kept. Sets serve.monitor."),
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(
            "--cors",
            metavar="ORIGIN",
            help="Let this origin's pages call the server, or * all. Repeatable. Sets serve.cors_origins.",
        ),
    ] = None,
    api_keys: Annotated[
        list[str] | None,
        typer.Option(
            "--api-key",
            metavar="KEY",
            envvar="MASKDET_API_KEY",
            help="Require this key from clients. Repeatable. Other users of this machine can see it here, "
            "but not in the variable or a file.",
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file", metavar="FILE", help="Require one of the keys in this file, one per line."
        ),
    ] = None,
) -> None:
    """Answer HTTP requests with one or more models.

    Runs until Ctrl-C or SIGTERM; reachable from this machine only, unless --host says otherwise.
    """
    flags: dict[str, object] = {
        "registry.root": registry,
        "serve.require_signature": require_signature,
        "serve.host": host,
        "serve.port": port,
        "serve.workers": workers,
        "serve.device": device,
        "serve.tensorrt": tensorrt,
        "serve.watch": watch,
        "serve.inbox": inbox,
        "serve.monitor": monitor,
        "serve.cors_origins": cors,
    }
    hub = config if config is not None and config.suffix == ".json" else None
    if hub is not None:
        overrides = [*_hub_settings(hub, models or []), *(overrides or [])]
    named = models or [str(model) for model in [stand_in(config)] if model]
    context = open_serving(None if hub else config, with_flags(overrides, flags), runs, named=bool(named))
    sources = sources_of(context, named)
    settings = _with_keys(context.pipeline.serve, api_keys or [], api_key_file)

    from maskdet.cli.console import print_lines
    from maskdet.serving.process.logs import log_to
    from maskdet.serving.process.serve import serve as serve_sources

    log_to()
    listing = ", ".join(
        f"{name}={_shown(source)}" if name else _shown(source) for name, source in sources.items()
    )

    def ready(url: str, thresholds: Mapping[str, str]) -> None:
        lines = (f"thresholds of {name}: {said}" for name, said in thresholds.items())
        print_lines([f"serving {listing} at {url}", *lines])

    serve_sources(sources, settings, ready)


def _shown(source: Source) -> str:
    from maskdet.cli.console import shown

    return source.reference or shown(source.path)


def _hub_settings(config: Path, models: list[str]) -> list[str]:
    """PaddleHub's config as overrides; keys without effect are listed on standard error."""
    from maskdet.cli.console import print_notes
    from maskdet.errors import UsageError
    from maskdet.pipeline.places import DEFAULT_CONFIG
    from maskdet.serving.dialects.hub_config import read_hub_config

    found = read_hub_config(config)
    if not models and not DEFAULT_CONFIG.exists():
        raise UsageError(
            f"{config} names PaddleHub modules, but no maskdet model",
            "add --model FILE, an exported .onnx, or --model default",
        )
    print_notes(f"{config}: {line}" for line in found.ignored)
    return with_flags([], {f"serve.{key}": value for key, value in found.values.items()})


def _with_keys(settings: ServeSettings, keys: list[str], file: Path | None) -> ServeSettings:
    """The settings with the hashes of more keys; the keys themselves are not kept."""
    from maskdet.serving.http.hashing import check_key, hash_key, read_keys

    for key in keys:
        check_key(key, "an API key")
    given = [*keys, *(read_keys(file) if file else ())]
    hashes = dict.fromkeys([*settings.api_key_hashes, *map(hash_key, given)])
    return settings.model_copy(update={"api_key_hashes": tuple(hashes)})
