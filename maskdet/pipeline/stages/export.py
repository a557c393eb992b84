"""export: Paddle's inference format and the bundle, from the best checkpoint and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskdet.artefacts import BEST, CONFIG, MANIFEST, METRICS, read_document
from maskdet.detector.calibration import Calibration
from maskdet.detector.threshold_policy import ThresholdPolicy
from maskdet.export.figures import bundle_figures
from maskdet.pipeline.running.inputs import file_input, setting_inputs
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.manifest_input import data_input
from maskdet.pipeline.stages.recipe_input import recipe_input

_COPIES = 5
"""Files as large as the weights while an export is written: Paddle's, two graphs and two bundles."""


def _inputs(context: Context) -> Inputs:
    return {
        "name": context.pipeline.name,
        **setting_inputs("export", context.pipeline.export),
        **setting_inputs("eval", context.pipeline.eval, exclude=frozenset({"batch_size"})),
        **data_input(context),
        **recipe_input(context),
        **file_input(context, "train", BEST),
        **file_input(context, "eval", METRICS),
    }


def _run(context: Context, out: Path) -> str:
    from maskdet.export.export import ExportJob, export
    from maskdet.training.launch.disk_space import space_for

    pipeline = context.pipeline
    judged = read_document(context.path("eval", METRICS), context.command("eval"))
    job = ExportJob(
        name=pipeline.name,
        variant=pipeline.model.variant,
        config=context.path("config", CONFIG),
        weights=context.path("train", BEST),
        manifest=context.path("prepare", MANIFEST),
        out=out,
        settings=pipeline.export,
        eval_settings=pipeline.eval,
        thresholds={label: each["threshold"] for label, each in judged["classes"].items()},
        threshold_policy=ThresholdPolicy.model_validate(judged["threshold_policy"]),
        metrics=bundle_figures(judged),
        calibration=calibration_of(judged),
        python=pipeline.train.python,
    )
    # Paddle says nothing when it cannot write a file, and then fails on reading it.
    with space_for(out, _COPIES * job.weights.stat().st_size, "run the command again"):
        summary = export(job, track=context.track)
    onnx = "no ONNX file" if summary.ap50_onnx is None else f"ONNX file AP50 {summary.ap50_onnx:.1%}"
    parity = summary.parity
    return f"{onnx}, parity {parity.score_difference:.1g} in score and {parity.box_difference:.1g} px"


def calibration_of(judged: dict[str, Any]) -> Calibration | None:
    """What metrics.json calibrated the scores with, None if they are the network's."""
    told = judged.get("calibration")
    return Calibration(temperature=told["temperature"]) if told and told["in_force"] else None


STAGE = Stage("export", _inputs, _run, version=6)
