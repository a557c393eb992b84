"""The files that a CI job leaves for people, in runs/<name>/ci."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskdet.artefacts import MANIFEST, read_document
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import RegistryError
from maskdet.pipeline.run_files import write_run_page
from maskdet.pipeline.running.stage import Context
from maskdet.registry.registry import Registry
from maskdet.reporting.ci_report import CiReport, failure_report
from maskdet.reporting.delivery import DataChange, Delivery
from maskdet.system.files import sha256_file, sha256_if_any, write_text

CI: Final = "ci"
DECIDING: Final = "deciding"
"""Drawings of the worst regressions and the best gains."""
COMMENT: Final = "comment.md"
"""What the last job has to say."""
DECISION: Final = "decision.md"
"""The report of the job that decided last, which is also the comment until a job fails."""


def write_reports(context: Context, registry: Registry, delivery: Delivery, gates: Path | None) -> None:
    """The decision, and the page of the run with gates and champion. gates: the delivery's gates.json."""
    report = CiReport(
        name=context.pipeline.name,
        delivery=delivery,
        gates=None if gates is None else read_document(gates, context.command("gates")),
        change=_change(context, registry, delivery),
        command=context.command("run", "--ci"),
        commit=registry.version(delivery.model, delivery.version).record.lineage.code.get("commit", ""),
    )
    write_text(context.path(CI, DECISION), report.markdown())
    show_decision(context)
    write_run_page(context)


def show_decision(context: Context) -> None:
    """Let the comment be the decision; that of a job that failed since is out of date."""
    decision, comment = context.path(CI, DECISION), context.path(CI, COMMENT)
    if decision.is_file() and sha256_file(decision) != sha256_if_any(comment):
        write_text(comment, decision.read_text(encoding="utf-8"))


def write_failure(context: Context, error: Exception) -> None:
    """The comment of a job that could not judge a model."""
    write_text(context.path(CI, COMMENT), failure_report(context.pipeline.name, str(error)))


def _change(context: Context, registry: Registry, delivery: Delivery) -> DataChange | None:
    if delivery.champion is None:
        return None
    try:
        seen = registry.version(delivery.model, delivery.champion).pictures()
    except RegistryError:
        # The champion may have been pruned since; its data is then not known.
        return None
    own = [(one.part, one.sha256) for one in seen if not one.inherited]
    return DataChange.between(own, load_manifest(context.path("prepare", MANIFEST))) if own else None
