"""`maskdet drift`: whether what a server has seen makes retraining due."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import Config, Overrides, Runs
from maskdet.cli.session import open_serving, with_flags
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskdet.drift.decision import Decision
    from maskdet.drift.view import View
    from maskdet.pipeline.file.schema import PipelineFile


def drift(
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="Statistics of a server.", show_default="serve.monitor"),
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Ask this running server instead.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            help="Judge the statistics of this bundle.",
            show_default="the version that answered last, of each model",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="How far to look back, in hours or days. Sets drift.since.",
            show_default="7d",
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a report for people.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Show the rules as JSON.")] = False,
    api_key: Annotated[
        str, typer.Option("--api-key", metavar="KEY", envvar="MASKDET_API_KEY", help="The server's key.")
    ] = "",
) -> None:
    """Decide from a server's statistics whether retraining is due.

    Exits with 0 if no rule says so, with 12 if one does. A rule with too few samples decides nothing.
    """
    from maskdet.drift.decision import decide, summary
    from maskdet.errors import RetrainingDue

    named = state is not None or url is not None
    pipeline = open_serving(config, with_flags(overrides, {"drift.since": since}), runs, named=named).pipeline
    settings = pipeline.drift
    inbox = settings.inbox or pipeline.serve.inbox
    decisions = [decide(view, settings, inbox) for view in _views(pipeline, state, url, model, api_key)]
    _show(decisions, html, as_json)
    if any(decision.named("due") for decision in decisions):
        hint = "label new pictures, then `maskdet run`; docs/drift.md says what each rule means"
        raise RetrainingDue("; ".join(summary(decisions)), hint)


def _views(
    pipeline: PipelineFile, state: Path | None, url: str | None, model: Path | None, api_key: str
) -> list[View]:
    from maskdet.drift.saved import saved_views
    from maskdet.errors import UsageError

    hours, version = pipeline.drift.hours, _version(model) if model is not None else ""
    if url is not None:
        from maskdet.serving.client import Client

        with Client(url, api_key) as client:
            found = [view for view in client.histories(hours) if version in ("", view.version)]
        if not found:
            raise UsageError(f"{url} does not serve version {version}", "leave --model out")
        return found
    folder = state or pipeline.serve.monitor
    if folder is None:
        raise UsageError(
            "there are no statistics to judge", "pass --state DIR or --url URL, or set serve.monitor"
        )
    return saved_views(folder, hours, pipeline.drift.psi, version)


def _version(model: Path) -> str:
    from maskdet.pipeline.references.models import existing_model
    from maskdet.system.files import sha256_file

    return sha256_file(existing_model(model))[:12]


def _show(decisions: Sequence[Decision], html: Path | None, as_json: bool) -> None:
    from maskdet.cli.console import print_lines, print_table, shown
    from maskdet.drift.decision import summary
    from maskdet.reporting.drift_page import drift_page
    from maskdet.system.files import json_text, write_text

    if html is not None:
        write_text(html, drift_page(decisions))
    if as_json:
        print_lines([json_text([decision.to_json() for decision in decisions]).rstrip()])
        return
    for decision in decisions:
        print_lines([f"{decision.view.model}, version {decision.view.version}"])
        rows = (
            (
                rule.name,
                "" if rule.value is None else f"{rule.value:.3g}",
                f"{rule.limit:g}",
                str(rule.count),
                rule.verdict,
                str(rule.why),
            )
            for rule in decision.rules
        )
        print_table(("rule", "value", "limit", "count", "verdict", "why"), rows)
    print_lines([*summary(decisions), *([f"report: {shown(html)}"] if html else [])])
