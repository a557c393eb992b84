from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from trained import SAMPLE, DrawnSet, Exported, Trained, draw_crowds, made_once, make_job, sample_manifest

from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_model, shipped_weights
from maskdet.evaluation.result import Evaluation
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.export import ExportJob, export
from maskdet.export.settings import ExportSettings
from maskdet.training.evaluate import EvalJob, evaluate_checkpoint


@pytest.fixture(autouse=True)
def workers(workers_import_maskdet: None) -> None:
    """Every test here may start some."""


@pytest.fixture(scope="session")
def exported(skilled: Trained, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Pictures twice as large as those of the training, at twice its input size: faces of the same size."""

    def make(folder: Path) -> Exported:
        crowds = draw_crowds(folder / "voc", 12, side=320, seed=8)
        data = replace(crowds, manifest=crowds.dealt(train=range(4), val=range(4, 12)).manifest)
        training = make_job(folder / "recipe", data, side=320)
        weights = skilled.job.out / "best.pdparams"
        judged = EvalJob(training.config, training.manifest, weights, (320, 320), EvalSettings())
        evaluation = evaluate_checkpoint(judged)
        job = export_job(training.config, training.manifest, weights, folder / "export", evaluation)
        job = replace(job, settings=ExportSettings(nms="in-graph"))
        job.out.mkdir()
        return Exported(job, export(job), data, evaluation)

    return made_once(tmp_path_factory, "exported", make)


def export_job(config: Path, manifest: Path, weights: Path, out: Path, evaluation: Evaluation) -> ExportJob:
    return ExportJob(
        name="口罩 mask",
        variant="picodet_s_320_esnet",
        config=config,
        weights=weights,
        manifest=manifest,
        out=out,
        settings=ExportSettings(),
        eval_settings=EvalSettings(),
        thresholds=evaluation.thresholds,
        threshold_policy=evaluation.policy,
        metrics=evaluation.summary(),
        calibration=evaluation.calibration.calibration,
    )


@pytest.fixture(scope="session")
def sample_job(tmp_path_factory: pytest.TempPathFactory) -> ExportJob:
    """The shipped model at half its size with its own thresholds, to be proved on 50 pictures of data/sample.

    Not the drawn one, which says 1.0 of hundreds of boxes in pictures unlike its own; and no lower
    thresholds, at which all anchors of the plain pictures among those of the proof count, with one score.
    Which of equal boxes are kept is chance.
    """
    folder = tmp_path_factory.mktemp("sample")
    meta = load_bundle(shipped_model()).meta
    pictures = DrawnSet(SAMPLE, replace(sample_manifest(), labels=meta.labels))
    data = pictures.dealt(train=range(50, 60), val=range(50))
    training = make_job(folder / "recipe", data, side=320, variant="picodet_s_320_esnet")
    out = folder / "export"
    out.mkdir()
    return ExportJob(
        name=meta.name,
        variant="picodet_s_320_esnet",
        config=training.config,
        weights=shipped_weights(),
        manifest=training.manifest,
        out=out,
        settings=ExportSettings(parity_pictures=50),
        eval_settings=EvalSettings(),
        thresholds=meta.thresholds,
        threshold_policy=meta.threshold_policy,
        metrics={},
    )
