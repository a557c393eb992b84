"""prepare: check the VOC folder, split it, write manifest, lists, report and plots."""

from __future__ import annotations

from pathlib import Path

from maskdet.pipeline.inputs import folder_signature, setting_inputs
from maskdet.pipeline.stage import Context, Inputs, Stage
from maskdet.training.networks.registry import variant


def _inputs(context: Context) -> Inputs:
    data = context.pipeline.data
    # The root's own path is left out: a moved data set is the same data set.
    return {
        **setting_inputs("data", data, exclude=frozenset({"root"})),
        "input size": variant(context.pipeline.model.variant).input_size,
        "file JPEGImages": folder_signature(data.root / "JPEGImages"),
        "file Annotations": folder_signature(data.root / "Annotations"),
    }


def _run(context: Context, out: Path) -> str:
    from maskdet.dataset.findings import bounded
    from maskdet.dataset.prepare import SHOWN, prepare

    size = variant(context.pipeline.model.variant).input_size
    summary = prepare(context.pipeline.data, out, input_size=size, track=context.track)
    for word, findings in (("dropped", summary.dropped), ("notice", summary.notices)):
        for line in bounded(findings, SHOWN):
            context.say(f"  {word}: {line}")
    dropped = f", faults dropped: {len(summary.dropped)}" if summary.dropped else ""
    return f"{summary.pictures} pictures: {summary.train} train, {summary.val} val{dropped}"


STAGE = Stage("prepare", _inputs, _run)
