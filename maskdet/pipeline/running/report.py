"""runs/<name>/report.md: what each stage did, its key figure, and links to what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskdet import __version__
from maskdet.artefacts import PAGE, REPORT
from maskdet.pipeline.running.cache import read_record
from maskdet.pipeline.running.outcome import RunResult, StageOutcome, State
from maskdet.pipeline.running.stage import Context, Stage
from maskdet.system.files import write_text
from maskdet.system.times import duration
from maskdet.tracking.follower import describe
from maskdet.wording.markdown import table

_PICTURES = (".png", ".jpg")
_MAX_LINKS = 40
"""Files per stage linked in the report; the rest are counted."""


def write_report(stages: Sequence[Stage], context: Context, result: RunResult) -> Path:
    """Write the report of a run and return its path."""
    pipeline = context.pipeline
    blocks = [
        f"# {pipeline.name}",
        f"{pipeline.model.variant}, {pipeline.train.epochs} epochs. Written by maskdet {__version__}.",
        _table(stages, context, result),
        *_page(context),
        *_failure(result),
        *_tracking(context),
        *(_files(stage, context) for stage in stages if context.path(stage.name).is_dir()),
    ]
    target = context.folder / REPORT
    write_text(target, "\n\n".join(blocks) + "\n")
    return target


def _table(stages: Sequence[Stage], context: Context, result: RunResult) -> str:
    rows = (
        (stage.name, outcome.state.value, _time(stage, context, outcome), outcome.figure)
        for stage, outcome in zip(stages, result.outcomes, strict=True)
    )
    return table(("stage", "state", "time", "key figure"), rows, words=(0, 1, 3))


def _time(stage: Stage, context: Context, outcome: StageOutcome) -> str:
    if outcome.state in (State.RAN, State.FAILED):
        return duration(outcome.seconds)
    record = read_record(context, stage)
    return duration(record.seconds) if record and record.finished else ""


def _page(context: Context) -> list[str]:
    return [f"[{PAGE}]({PAGE}) has all figures on one page."] if (context.folder / PAGE).is_file() else []


def _failure(result: RunResult) -> list[str]:
    return [f"Failed:\n\n```text\n{result.error}\n```"] if result.error else []


def _tracking(context: Context) -> list[str]:
    lines = [f"- {line}" for line in describe(context.pipeline.tracking, context.folder)]
    return ["Tracking:\n\n" + "\n".join(lines)] if lines else []


def _files(stage: Stage, context: Context) -> str:
    folder = context.path(stage.name)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    names = [path.relative_to(context.folder).as_posix() for path in files]
    links = [f"- [{name}]({_link(name)})" for name in names[:_MAX_LINKS]]
    if len(names) > _MAX_LINKS:
        links.append(f"- and {len(names) - _MAX_LINKS} more")
    pictures = [f"![{name}]({_link(name)})" for name in names[:_MAX_LINKS] if name.endswith(_PICTURES)]
    return "\n\n".join([f"## {stage.name}", "\n".join(links), *pictures])


def _link(name: str) -> str:
    return name.replace(" ", "%20")
