"""prepare: check the VOC folders, split them, write manifest, lists, report and plots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.dataset.settings import DataSettings, NamedRoot
from maskdet.pipeline.running.inputs import folder_signature, setting_inputs
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.system.files import relative_path, sha256_if_any
from maskdet.training.networks.registry import variant

if TYPE_CHECKING:
    from maskdet.dataset.prepare import PrepareSummary

_FROZEN = "file data.frozen_val"


def _inputs(context: Context) -> Inputs:
    data = context.pipeline.data
    inputs = {
        **setting_inputs("data", data, exclude=frozenset({"root", "roots", "frozen_val", "unlabelled"})),
        "input size": variant(context.pipeline.model.variant).input_size,
    }
    if data.frozen_val:
        inputs[_FROZEN] = sha256_if_any(data.frozen_val)
    if data.unlabelled:
        inputs["file data.unlabelled"] = sha256_if_any(data.unlabelled)
    for number, root in enumerate(data.every_root):
        inputs.update(_root_inputs(context, root, f"data.roots.{number}" if data.roots else "data"))
    return inputs


def _root_inputs(context: Context, root: NamedRoot, key: str) -> Inputs:
    # Seen from the results folder: a project that was moved as a whole is the same project.
    lists = root.root / "ImageSets" / "Main"
    return {
        f"{key}.root": relative_path(root.root, context.folder).as_posix(),
        **{f"{key}.{name}": value for name, value in root.model_dump(exclude={"root"}).items()},
        f"file {root.name}/JPEGImages": folder_signature(root.root / "JPEGImages"),
        f"file {root.name}/Annotations": folder_signature(root.root / "Annotations"),
        **({f"file {root.name}/ImageSets/Main": folder_signature(lists)} if lists.is_dir() else {}),
    }


def _run(context: Context, out: Path) -> str:
    from maskdet.dataset.checking.stopping import SHOWN, notice_lines
    from maskdet.dataset.findings import FATES, bounded
    from maskdet.dataset.prepare import prepare

    for line in _warnings(context.pipeline.data):
        context.say(f"  notice: {line}")
    size = variant(context.pipeline.model.variant).input_size
    summary = prepare(context.pipeline.data, out, input_size=size, track=context.track)
    fates = [(fate, [each for each in summary.dropped if each.fate == fate]) for fate in FATES]
    for fate, findings in fates:
        for line in bounded(findings, SHOWN):
            context.say(f"  {fate}: {line}")
    for line in notice_lines(summary.notices):
        context.say(f"  notice: {line}")
    return _figure(summary, context.pipeline.data)


def _figure(summary: PrepareSummary, data: DataSettings) -> str:
    parts = [f"{summary.pictures} pictures: {summary.train} train", f"{summary.val} val"]
    parts += [f"{summary.test} test in neither"] if summary.test else []
    parts += [f"{summary.left_out} left out as like val"] if summary.left_out else []
    parts += [f"{summary.unlabelled} faces without a label"] if data.unlabelled else []
    parts += [f"faults dropped: {len(summary.dropped)}"] if summary.dropped else []
    return ", ".join(parts)


def _warnings(data: DataSettings) -> Iterator[str]:
    if data.frozen_val is None and {"train", "split"} <= {root.part for root in data.every_root}:
        yield (
            "a new picture in a root of `part: train` takes pictures like it out of val and the rest may be "
            "split anew; data.frozen_val: pipeline.val.json keeps what was val"
        )


STAGE = Stage(
    "prepare",
    _inputs,
    _run,
    version=2,
    appends_to=frozenset({_FROZEN}),
    packages=("lxml", "matplotlib"),
)
