"""When a stage has to run again: fingerprints of its inputs, and records of its outputs.

A fingerprint covers the stage's part of the pipeline file, its input files, the stage's version and maskdet's
major and minor version. A patch release never changes results, so it never requires a new training.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maskdet import __version__
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.system.files import write_json

RECORDS = ".stages"
RELEASE = ".".join(__version__.split(".")[:2])
MAX_SHOWN_CHANGES = 3
"""Changed inputs named in one reason."""
_FILE = "file "
"""How names of files begin among inputs."""


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What a stage was made from and what it wrote; outputs: path within the stage's folder → bytes."""

    inputs: Inputs
    finished: bool = False
    outputs: dict[str, int] | None = None
    seconds: float = 0.0
    figure: str = ""

    @property
    def fingerprint(self) -> str:
        """sha256 of the inputs in canonical JSON."""
        return hashlib.sha256(_canonical(self.inputs)).hexdigest()

    def write(self, context: Context, stage: Stage) -> None:
        write_json(_place(context, stage), {"fingerprint": self.fingerprint, **asdict(self)})


def read_record(context: Context, stage: Stage) -> StageRecord | None:
    """The stage's last record; None if there is none, or if it is damaged and so proves nothing."""
    try:
        raw: dict[str, Any] = json.loads(_place(context, stage).read_text(encoding="utf-8"))
        del raw["fingerprint"]
        return StageRecord(**raw)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def inputs_of(context: Context, stage: Stage, *, force: bool = False) -> Inputs:
    """The stage's inputs and code version, after a round trip through JSON.

    Where only settled inputs have changed, they are those of the last record, unless the stage is forced.
    """
    code = {"maskdet": RELEASE, f"{stage.name} code": stage.version}
    inputs: Inputs = json.loads(_canonical({**code, **stage.inputs(context)}))
    record = read_record(context, stage) if stage.settled and not force else None
    if record is not None and _changed(record.inputs, inputs) <= stage.settled:
        return record.inputs
    return inputs


def with_files_of(before: Inputs, inputs: Inputs) -> Inputs:
    """The inputs, but the files are those of `before`."""
    files = {name: before[name] for name in inputs if name.startswith(_FILE) and name in before}
    return {**inputs, **files}


def written(context: Context, stage: Stage) -> dict[str, int]:
    """The existing outputs: path within the stage's folder → bytes."""
    folder = context.path(stage.name)
    files = {path for pattern in stage.keeps for path in folder.glob(pattern) if path.is_file()}
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(files)}


def why_stale(context: Context, stage: Stage, inputs: Inputs) -> str:
    """Why the stage has to run, in a few words; empty if it is up to date."""
    record = read_record(context, stage)
    if record is None:
        return "has not run"
    if changes := describe_changes(record.inputs, inputs):
        return changes
    if not record.finished:
        return "did not finish"
    return _damage(stage, record.outputs or {}, written(context, stage))


def describe_changes(before: Inputs, after: Inputs) -> str:
    """The inputs that differ, by name; settings with both values. Empty if none does."""
    changed = _changed(before, after)
    names = [name for name in {**after, **before} if name in changed]
    shown = [_change(name, before.get(name), after.get(name)) for name in names[:MAX_SHOWN_CHANGES]]
    if len(names) > MAX_SHOWN_CHANGES:
        shown.append(f"{len(names) - MAX_SHOWN_CHANGES} more")
    return ", ".join(shown)


def _changed(before: Inputs, after: Inputs) -> set[str]:
    return {name for name in {**after, **before} if before.get(name) != after.get(name)}


def _change(name: str, before: Any, after: Any) -> str:
    if name.startswith(_FILE):
        return f"{name.removeprefix(_FILE)} changed"
    return f"{name} {_short(before)} → {_short(after)}"


def _short(value: Any) -> str:
    text = (
        "unset"
        if value is None
        else value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False)
    )
    return text if len(text) <= 40 else f"{text[:39]}…"


def _damage(stage: Stage, recorded: dict[str, int], found: dict[str, int]) -> str:
    if missing := sorted(recorded.keys() - found.keys()):
        return f"{stage.name}/{missing[0]} is missing"
    changed = sorted(name for name in recorded if recorded[name] != found[name])
    return f"{stage.name}/{changed[0]} was changed" if changed else ""


def _place(context: Context, stage: Stage) -> Path:
    return context.folder / RECORDS / f"{stage.name}.json"


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
