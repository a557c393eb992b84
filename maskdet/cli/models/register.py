"""`maskdet models register`: add what a run made, or a bundle from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.models.options import AsJson, By, open_registry, print_json
from maskdet.cli.options import SHIPPED, Config, Overrides, RegistryFolder, Runs
from maskdet.cli.session import open_pipeline, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from maskdet.registry.version import Version


def register(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BUNDLE]",
            help=f"An .onnx from elsewhere, or {SHIPPED}.",
            show_default="what the pipeline exported",
        ),
    ] = None,
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="NAME", help="The model's name.", show_default="the pipeline's or the bundle's"
        ),
    ] = "",
    sign: Annotated[
        Path | None,
        typer.Option("--sign", metavar="PRIVATE_KEY", help="Also sign it with this key.", show_default=False),
    ] = None,
    by: By = "",
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Add a version with its lineage. A bundle that is a version already stays that version."""
    from maskdet.cli.console import print_lines
    from maskdet.registry.actor import actor

    if bundle is None:
        version = _from_run(config, with_flags(overrides, {"registry.root": registry}), runs, name, by)
    else:
        version = _from_file(config, registry, bundle, name, by)
    if sign is not None:
        from maskdet.registry.layout import Layout
        from maskdet.registry.signing import sign_version

        sign_version(Layout(version.folder.parents[1]), version, sign, by or actor())
    if as_json:
        print_json({**version.record.model_dump(mode="json"), "folder": str(version.folder)})
        return
    print_lines(
        [
            f"{version.reference}: bundle {version.record.bundle[:12]} in {version.folder}",
            f'`maskdet models promote {version.model}@{version.number} --why "..."` makes it the champion',
        ]
    )


def _from_run(config: Path | None, overrides: list[str], runs: Path, name: str, by: str) -> Version:
    from maskdet.api.display import Display
    from maskdet.cli.console import standard_error
    from maskdet.pipeline.references.models import registry_of
    from maskdet.pipeline.release.registration import register_run
    from maskdet.pipeline.running.lock import run_lock

    context = open_pipeline(config, overrides, runs)
    with run_lock(context.folder), Display(standard_error()) as display:
        shown = replace(context, track=display.track)
        return register_run(shown, registry_of(context), name=name, by=by)


def _from_file(config: Path | None, registry: Path | None, bundle: Path, name: str, by: str) -> Version:
    from maskdet.pipeline.references.models import existing_model
    from maskdet.pipeline.release.registration import register_bundle

    opened = open_registry(config, registry)
    return register_bundle(opened, existing_model(bundle, opened), name=name, by=by)
