"""eval: evaluate the best checkpoint on val and choose the thresholds that export puts into the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from maskdet.artefacts import (
    BEST,
    CONFIG,
    CURVES,
    MANIFEST,
    METRICS,
    PR_PLOT,
    RELIABILITY_PLOT,
    REPORT,
    SLICE_PLOT,
    THRESHOLD_PLOT,
    WORST_SHEET,
)
from maskdet.errors import UsageError
from maskdet.extras import require
from maskdet.pipeline.places import model_name
from maskdet.pipeline.running.inputs import file_input, setting_inputs
from maskdet.pipeline.running.outcome import RunResult
from maskdet.pipeline.running.stage import Context, Inputs, Stage
from maskdet.pipeline.stages.manifest_input import data_input
from maskdet.pipeline.stages.recipe_input import recipe_input
from maskdet.system.files import staged_folder, write_json, write_text

if TYPE_CHECKING:
    from maskdet.detector.tiling import Look
    from maskdet.evaluation.look_comparison import LookResult
    from maskdet.evaluation.result import Evaluation
    from maskdet.judging.robustness.result import Robustness


_PACKAGES: Final = ("matplotlib",)


def evaluate_weights(context: Context, weights: Path) -> Evaluation:
    """Evaluate a .pdparams file of this pipeline's network on val."""
    from maskdet.training.evaluate import EvalJob, evaluate_checkpoint
    from maskdet.training.networks.registry import variant

    job = EvalJob(
        config=context.path("config", CONFIG),
        manifest=context.path("prepare", MANIFEST),
        weights=weights,
        input_size=variant(context.pipeline.model.variant).input_size,
        settings=context.pipeline.eval,
        python=context.pipeline.train.python,
    )
    return evaluate_checkpoint(job, track=context.track)


def evaluate_model(context: Context, model: Path) -> Evaluation:
    """Evaluate any .onnx or .pdparams file on this pipeline's val. Raises UsageError for other files."""
    if model.suffix == ".pdparams":
        return evaluate_weights(context, model)
    if model.suffix != ".onnx":
        raise UsageError(f"{model} is neither .onnx nor .pdparams", "pass one of these")
    from maskdet.detector.tiling import PLAIN

    return evaluate_looks(context, model, [PLAIN])[0].evaluation


def evaluate_looks(context: Context, model: Path, looks: Sequence[Look]) -> list[LookResult]:
    """Evaluate an .onnx bundle on this pipeline's val with each look. Raises UsageError for other files."""
    if model.suffix != ".onnx":
        raise UsageError(f"{model} is not an .onnx file", "--tile and --flip need an exported model")
    from maskdet.dataset.manifest import load_manifest
    from maskdet.detector.bundle import load_bundle
    from maskdet.evaluation.look_comparison import LookResult
    from maskdet.judging.bundles import judge_bundle

    manifest, bundle = load_manifest(context.path("prepare", MANIFEST)), load_bundle(model)
    settings = context.pipeline.eval
    return [
        LookResult(look, *judge_bundle(bundle, manifest, settings, look=look, track=context.track))
        for look in looks
    ]


def measure_robustness(context: Context, model: Path, out: Path, most: int | None = None) -> Robustness:
    """An .onnx bundle on corrupted val pictures, `most` of them; the worst conditions are drawn into `out`.

    Raises UsageError for other files.
    """
    if model.suffix != ".onnx":
        raise UsageError(f"{model} is not an .onnx file", "--robustness needs an exported model")
    from maskdet.dataset.manifest import load_manifest
    from maskdet.detector.bundle import load_bundle
    from maskdet.judging.robustness.sheet import draw_conditions
    from maskdet.judging.robustness.trial import Trial

    trial = Trial.of(load_bundle(model), load_manifest(context.path("prepare", MANIFEST)), most)
    result = trial.run(track=context.track)
    draw_conditions(trial, result, out / "robustness.png")
    return result


def write_evaluation(
    evaluation: Evaluation, files: Mapping[str, Path], out: Path, robustness: Robustness | None = None
) -> None:
    """metrics.json, curves.json, report.md and its plots; `files`: where the pictures are, by name."""
    from maskdet.evaluation.curve_points import curve_points
    from maskdet.evaluation.plots.reliability import draw_reliability
    from maskdet.evaluation.plots.slices import draw_slices
    from maskdet.evaluation.plots.thresholds import draw_curves, draw_thresholds
    from maskdet.evaluation.report.report import markdown_report
    from maskdet.evaluation.sheet.worst import draw_worst

    measured = {} if robustness is None else {"robustness": robustness.to_json()}
    write_json(out / METRICS, {**evaluation.to_json(), **measured})
    write_json(out / CURVES, curve_points(evaluation))
    draw_curves(evaluation, out / PR_PLOT)
    draw_thresholds(evaluation, out / THRESHOLD_PLOT)
    draw_slices(evaluation, out / SLICE_PLOT)
    draw_reliability(evaluation, out / RELIABILITY_PLOT)
    draw_worst(evaluation.mistakes, files, out / WORST_SHEET)
    added = "" if robustness is None else f"\n{robustness.report()}"
    write_text(out / REPORT, f"# Evaluation\n\n{markdown_report(evaluation)}{added}")


def write_looks(results: Sequence[LookResult], files: Mapping[str, Path], out: Path) -> None:
    """The evaluation of the last look, with a comparison of all: looks.json, and first in report.md."""
    from maskdet.evaluation.look_comparison import looks_report
    from maskdet.evaluation.report.report import markdown_report

    last = results[-1]
    write_evaluation(last.evaluation, files, out)
    write_json(out / "looks.json", {result.look.name: result.to_json() for result in results})
    figures = markdown_report(last.evaluation)
    write_text(out / REPORT, f"# Evaluation\n\n{looks_report(results)}\n{last.look.name}: {figures}")


@dataclass(slots=True)
class Judgement:
    """A model that no stage wrote, evaluated on val once `after` is up to date; see pipeline.run.Then.

    With a look other than the plain one it is evaluated with both, and the report shows what the other gains
    and costs. With `corrupted`, the plain look is also measured on that many corrupted pictures. Raises like
    `evaluate_model`, `evaluate_looks` and `measure_robustness`.
    """

    model: Path
    look: Look
    corrupted: int = 0
    folder: Path = Path()
    """Where the result is: eval-<`model_name`>[-<the look's name>] beside the stages' folders."""

    @property
    def after(self) -> str:
        """The last stage that it needs: the recipe says how to build the network of a checkpoint only."""
        return "config" if self.model.suffix == ".pdparams" else "prepare"

    def __call__(self, context: Context, result: RunResult) -> None:
        if result.error is not None:
            return
        require("data", *_PACKAGES, asks="eval needs")
        from maskdet.detector.tiling import PLAIN

        files, plain = _files(context), self.look == PLAIN
        self.folder = context.folder / f"eval-{model_name(self.model)}{'' if plain else f'-{self.look.name}'}"
        with staged_folder(self.folder) as out:
            if plain:
                judged = evaluate_model(context, self.model)
                write_evaluation(judged, files, out, self._robustness(context, out))
            else:
                write_looks(evaluate_looks(context, self.model, [PLAIN, self.look]), files, out)

    def _robustness(self, context: Context, out: Path) -> Robustness | None:
        return measure_robustness(context, self.model, out, self.corrupted) if self.corrupted else None


def _files(context: Context) -> dict[str, Path]:
    from maskdet.dataset.manifest import load_manifest

    return load_manifest(context.path("prepare", MANIFEST)).files


def headline(evaluation: Evaluation) -> str:
    """The key figures in a few words."""
    shares = (f"{name} {share:.1%}" for name, share in evaluation.recalls().items() if share is not None)
    return (
        f"AP50 {evaluation.ap50:.1%}, AP50:95 {evaluation.ap50_95:.1%} on {evaluation.pictures} pictures; "
        f"recall {', '.join(shares)}"
    )


def _inputs(context: Context) -> Inputs:
    return {
        # The batch size only affects speed.
        **setting_inputs("eval", context.pipeline.eval, exclude=frozenset({"batch_size"})),
        **data_input(context),
        **recipe_input(context),
        **file_input(context, "train", BEST),
    }


def _run(context: Context, out: Path) -> str:
    evaluation = evaluate_weights(context, context.path("train", BEST))
    write_evaluation(evaluation, _files(context), out)
    return headline(evaluation)


STAGE = Stage("eval", _inputs, _run, version=4, packages=_PACKAGES)
