"""What the verbs return: where the files are, and the key figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.artefacts import BEST, MANIFEST, METRICS, PARITY, REPORT, WORST_SHEET, read_document
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import StageError
from maskdet.pipeline.places import EXPORTED
from maskdet.pipeline.running.outcome import RunResult, StageOutcome
from maskdet.pipeline.running.stage import Context
from maskdet.training.state import read_state


@dataclass(frozen=True, slots=True)
class PrepareResult:
    """The data set, checked and split."""

    folder: Path
    """Holds manifest.json, report.md, the plots, train.txt, val.txt and label_list.txt."""
    labels: tuple[str, ...]
    """Class names by class id."""
    pictures: int
    train: int
    """Pictures to train from."""
    val: int
    """Pictures to validate on."""


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished training, or how far an unfinished one got."""

    folder: Path
    """Holds the checkpoints, metrics.jsonl, curves.png and index.html."""
    weights: Path
    """The best checkpoint, a .pdparams file."""
    ap50: float | None
    """AP50 of the best checkpoint on val, as a fraction of 1; None before any evaluation."""
    best_epoch: int | None
    epochs: int
    """Epochs that were trained."""


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """A model evaluated on val. A notebook shows the report.

    `figures` is metrics.json: `ap50`, `ap50_95`, `classes` (`precision`, `recall`, `threshold` of each),
    `confusion`, `safety`, `slices`, `mistakes`; fractions of 1, None where a figure is undefined.
    """

    folder: Path
    """Holds metrics.json, report.md, pr.png, thresholds.png, slices.png and reliability.png."""
    figures: Mapping[str, Any]

    @property
    def ap50(self) -> float:
        """Mean over the classes, as PaddleDetection counts it."""
        return float(self.figures["ap50"])

    @property
    def ap50_95(self) -> float:
        """Mean over the classes, as COCO counts it."""
        return float(self.figures["ap50_95"])

    @property
    def thresholds(self) -> dict[str, float]:
        """The lowest score that counts, by label, without labels that the model lacks."""
        thresholds = {label: each["threshold"] for label, each in self.figures["classes"].items()}
        return {label: float(lowest) for label, lowest in thresholds.items() if lowest is not None}

    @property
    def worst(self) -> Path:
        """A picture of the worst mistakes: blue is the label, orange the model's answer."""
        return self.folder / WORST_SHEET

    @property
    def report(self) -> str:
        """The report in Markdown."""
        return (self.folder / REPORT).read_text(encoding="utf-8")

    def __repr__(self) -> str:
        return f"<EvaluateResult: AP50 {self.ap50:.1%}, AP50:95 {self.ap50_95:.1%}; {self.folder}>"

    def _repr_markdown_(self) -> str:
        return self.report


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The model's files, which agree with the checkpoint."""

    folder: Path
    """Holds Paddle's inference model, infer_cfg.yml and parity.json."""
    model: Path | None
    """The ONNX bundle, for `maskdet.load`; None where export.onnx is false."""
    score_difference: float
    """The largest score difference between the formats."""
    box_difference: float
    """The largest box difference between the formats, in pixels of the network input."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The outcome of a run."""

    folder: Path
    """runs/NAME."""
    stages: tuple[StageOutcome, ...]
    """`stage`, `state`, `seconds`, `figure` and `reason` of each, in order."""
    model: Path | None
    """The exported bundle, for `maskdet.load`; None where there is none yet."""
    evaluation: EvaluateResult | None
    """None where there is none yet."""
    report: Path | None
    """report.md, the summary of the run; None after a dry run."""

    def __repr__(self) -> str:
        stages = ", ".join(f"{each.stage} {each.state.value}" for each in self.stages)
        return f"<RunSummary: {stages}; {self.folder}>"


def prepare_result(context: Context) -> PrepareResult:
    folder = context.path("prepare")
    manifest = load_manifest(folder / MANIFEST)
    train, val = len(manifest.part("train")), len(manifest.part("val"))
    return PrepareResult(folder, manifest.labels, len(manifest.pictures), train, val)


def train_result(context: Context) -> TrainResult:
    folder = context.path("train")
    state = read_state(folder)
    if state is None:
        raise StageError(f"{folder} holds no training", f"run `{context.command('train')}` first")
    return TrainResult(folder, folder / BEST, state.best_ap50, state.best_epoch, state.epoch)


def evaluate_result(folder: Path) -> EvaluateResult:
    return EvaluateResult(folder, read_document(folder / METRICS, "maskdet eval"))


def export_result(context: Context) -> ExportResult:
    folder = context.path("export")
    parity = read_document(folder / PARITY, context.command("export"))
    model = _if_there(context.folder / EXPORTED)
    return ExportResult(folder, model, parity["score_difference"], parity["box_difference"])


def run_summary(context: Context, result: RunResult, report: Path | None) -> RunSummary:
    judged = _if_there(context.path("eval", METRICS))
    return RunSummary(
        context.folder,
        tuple(result.outcomes),
        _if_there(context.folder / EXPORTED),
        evaluate_result(judged.parent) if judged else None,
        report,
    )


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None
