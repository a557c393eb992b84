"""export: Paddle's inference format and the bundle, from the best checkpoint and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskdet.artefacts import BEST, CONFIG, MANIFEST, METRICS, read_document
from maskdet.detector.calibration import Calibration
from maskdet.detector.threshold_policy import COMPARED, ThresholdPolicy
from maskdet.pipeline.inputs import file_input, setting_inputs
from maskdet.pipeline.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.manifest_input import data_input
from maskdet.pipeline.stages.recipe_input import recipe_input

_OVERALL = ("ap50", "ap50_95", "ap50_any_class")
_SAFETY = ("bare_passed", "bare_passed_wide", "worn_wrong_as_masked", "false_alarms_per_1000")
_POLICY_RATES = ("false_alarms_per_1000", "bare_passed", "bare_passed_wide")
_COPIES = 5
"""Files as large as the weights while an export is written: Paddle's, two graphs and two bundles."""
_PER_CLASS = ("ap50", "ap50_95", "precision", "recall", "f1")


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


def bundle_figures(judged: dict[str, Any]) -> dict[str, float]:
    """The figures of metrics.json as the bundle holds them, without undefined ones: ap50, ..., ap50.<label>,
    ..., then the choice and the cost of each policy that chooses on val, such as policy.safe.recall.<label>.
    What an earlier version of maskdet did not measure is absent.
    """
    flat = {name: judged[name] for name in _OVERALL}
    for label, each in judged["classes"].items():
        flat.update({f"{name}.{label}": each[name] for name in _PER_CLASS})
    flat.update({name: judged["safety"][name]["value"] for name in _SAFETY if name in judged["safety"]})
    flat.update(judged.get("further", {}))
    flat.update(_score_figures(judged))
    for each in judged.get("policies", ()):
        flat.update(_policy_figures(each))
    return {name: value for name, value in flat.items() if value is not None}


def _score_figures(judged: dict[str, Any]) -> dict[str, float | None]:
    """The promise, such as promise.answered.bare with its limit and the ends of its interval, and the error
    of the scores, on held-out pictures if they are calibrated.
    """
    flat: dict[str, float | None] = {}
    for name, term in ((judged.get("promise") or {}).get("terms") or {}).items():
        low, high = term["interval"] or (None, None)
        ends = {"low": low, "high": high, "limit": term.get("at_most", term.get("at_least"))}
        flat[f"promise.{name}"] = term["value"]
        flat.update({f"promise.{name}.{end}": value for end, value in ends.items()})
    told = judged.get("calibration")
    if told:
        flat["ece"] = told["after" if told["in_force"] else "before"]["ece"]
    return flat


def _policy_figures(each: dict[str, Any]) -> dict[str, float | None]:
    policy, classes = each["policy"]["name"], each["classes"]
    wide = {f"recall_wide.{label}": one["recall_wide"]["value"] for label, one in classes.items()}
    in_force = wide if each["in_force"] else {}
    if policy not in COMPARED or not classes:
        return in_force
    own = {
        "parameter": each["policy"]["parameter"],
        **{f"threshold.{label}": one["threshold"] for label, one in classes.items()},
        **{f"recall.{label}": one["recall"]["value"] for label, one in classes.items()},
        **wide,
        **{name: each[name]["value"] for name in _POLICY_RATES if name in each},
    }
    return {**in_force, **{f"policy.{policy}.{name}": value for name, value in own.items()}}


STAGE = Stage("export", _inputs, _run, version=5)
