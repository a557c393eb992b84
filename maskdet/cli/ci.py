"""`maskdet run --ci`: the chain, gates, registry and champion, in a job that nobody watches."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maskdet.cli.job_log import JobLog, Warnings, platform_of
from maskdet.errors import FolderInUse, GateRefusal, MaskdetError

if TYPE_CHECKING:
    from maskdet.pipeline.running.outcome import RunResult
    from maskdet.pipeline.running.stage import Context
    from maskdet.reporting.delivery import Delivery

MAX_SUMMARY: Final = 1_000_000
"""Bytes of a job's summary on GitHub, whatever wrote them."""


def run_ci(context: Context, *, promote: bool | None, force: bool) -> None:
    """Run the job and show how it ended. Raises the error that stopped it, or GateRefusal."""
    from maskdet.pipeline.ci.reports import write_failure

    log = JobLog(sys.stdout, platform_of(os.environ))
    try:
        with log:
            delivery = _deliver(context, log, promote, force)
    except MaskdetError as error:
        log.annotate("error", str(error))
        # The folder of a job that is running is that job's.
        if context.folder.is_dir() and not isinstance(error, FolderInUse):
            write_failure(context, error)
            _tell_platform(context, None)
        raise
    _show(context, log, delivery)
    _tell_platform(context, delivery)
    _require(context, delivery)


def _deliver(context: Context, log: JobLog, promote: bool | None, force: bool) -> Delivery:
    from maskdet.api.work import shown
    from maskdet.cli.console import print_outcomes
    from maskdet.pipeline.chain import unattended_options
    from maskdet.pipeline.ci.delivering import Delivering
    from maskdet.pipeline.ci.val_list import complete_val_list
    from maskdet.pipeline.running.lock import run_lock
    from maskdet.pipeline.running.run import run_stages
    from maskdet.pipeline.stages import STAGES

    wanted = context.pipeline.ci.promote if promote is None else promote
    delivering, warnings, listed = Delivering(wanted, log.open), Warnings(), _val_listed(context)
    # The prepare of another job adds to the same file.
    with run_lock(context.folder):
        back = complete_val_list(context)
    with shown(context, progress=True) as (seen, _):

        def on_event(event: dict[str, object]) -> None:
            warnings.on_event(event)
            seen.on_event(event)

        watched = replace(seen, on_event=on_event)
        result = run_stages(
            STAGES, watched, unattended_options(force=force), on_start=log.open, then=delivering
        )
    log.close()
    print_outcomes(result.outcomes)
    for text in warnings.texts:
        log.annotate("warning", text)
    _annotate_val(context, log, listed, back)
    return _delivered(context, result, delivering.delivery)


def _val_listed(context: Context) -> str:
    """The hash of the file of data.frozen_val, "" if there is none."""
    from maskdet.system.files import sha256_if_any

    file = context.pipeline.data.frozen_val
    return "" if file is None else sha256_if_any(file)


def _annotate_val(context: Context, log: JobLog, before: str, back: int) -> None:
    """What is added to the list is lost with the job's checkout. `back`: val pictures from the registry."""
    from maskdet.cli.console import shown

    file = context.pipeline.data.frozen_val
    if file is None or _val_listed(context) == before:
        return
    came = f"; it lacked {back} that earlier jobs had added, which the registry knew" if back else ""
    log.annotate("warning", f"{shown(file)} has changed: commit it, so that what is val stays val{came}")


def _delivered(context: Context, result: RunResult, delivery: Delivery | None) -> Delivery:
    if result.error is not None:
        again = f"`{context.command('run', '--ci')}` resumes from here"
        result.error.hint = f"{result.error.hint}; then {again}" if result.error.hint else again
        raise result.error
    if delivery is None:
        raise MaskdetError("the job ended without a decision")
    return delivery


def _show(context: Context, log: JobLog, delivery: Delivery) -> None:
    from maskdet.cli.console import print_lines, shown
    from maskdet.pipeline.ci.reports import CI, COMMENT
    from maskdet.reporting.delivery import Fate

    told = f"{context.pipeline.name}: {delivery.headline()}"
    nothing = "nothing to do: " if delivery.unchanged else ""
    print_lines(["", f"{nothing}{delivery.headline()}"])
    if delivery.fate is Fate.REFUSED:
        log.annotate("error", "\n".join([told, *delivery.reasons]))
    elif not delivery.unchanged:
        log.annotate("notice", told)
    print_lines([f"report: {shown(context.path(CI, COMMENT))}"])


def _require(context: Context, delivery: Delivery) -> None:
    from maskdet.reporting.delivery import Fate

    if delivery.fate is not Fate.REFUSED:
        return
    unchanged = ", as it was when it was judged" if delivery.unchanged else ""
    lines = "\n".join(f"  {line}" for line in delivery.reasons)
    raise GateRefusal(
        f"version {delivery.version} of {delivery.model} is refused by the gates{unchanged}\n{lines}",
        f"the pictures that decide are drawn in {context.path('ci', 'deciding')}",
    )


def _tell_platform(context: Context, delivery: Delivery | None) -> None:
    """Append the report to the job's summary and the outcome to the step's outputs, where GitHub asks."""
    from maskdet.pipeline.ci.reports import CI, COMMENT

    comment = context.path(CI, COMMENT)
    if (summary := os.environ.get("GITHUB_STEP_SUMMARY")) and comment.is_file():
        nothing = "Nothing to do: this is the report of the job that decided.\n\n"
        head = nothing if delivery is not None and delivery.unchanged else ""
        _append(Path(summary), head + comment.read_text(encoding="utf-8"), MAX_SUMMARY)
    if outputs := os.environ.get("GITHUB_OUTPUT"):
        told = {"model": context.pipeline.name, "status": "failed", "version": ""}
        if delivery is not None:
            told.update(status=delivery.fate.value.replace(" ", "-"), version=str(delivery.version))
        _append(Path(outputs), "".join(f"{name}={value}\n" for name, value in told.items()), MAX_SUMMARY)


def _append(path: Path, text: str, limit: int) -> None:
    taken = path.stat().st_size if path.is_file() else 0
    if taken + len(text.encode()) < limit:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
