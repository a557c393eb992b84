"""A checkpoint judged where the data has other classes than its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from trained import SAMPLE, DrawnSet, make_job, sample_manifest

from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_model, shipped_weights
from maskdet.evaluation.settings import EvalSettings
from maskdet.judging.bundles import judge_bundle
from maskdet.training import evaluate
from maskdet.training.evaluate import EvalJob, evaluate_checkpoint
from maskdet.training.launch.failures import OutOfMemory

SIDE = 416


@pytest.mark.usefixtures("workers_import_maskdet")
def test_weights_are_judged_as_the_bundle_made_of_them_whatever_the_datas_classes(tmp_path: Path) -> None:
    """The shipped weights know three classes; the sample has two, here in another order."""
    pictures = DrawnSet(SAMPLE, sample_manifest()).dealt(train=[0], val=range(1, 9)).manifest.pictures
    data = DrawnSet(
        SAMPLE, replace(sample_manifest(), labels=("without_mask", "with_mask"), pictures=pictures)
    )
    job = make_job(tmp_path, data, side=SIDE, variant="picodet_s_416_esnet", batch_size=1)

    of_weights = evaluate_checkpoint(
        EvalJob(job.config, job.manifest, shipped_weights(), (SIDE, SIDE), EvalSettings(threshold=0.5))
    )
    of_bundle = judge_bundle(load_bundle(shipped_model()), data.manifest, EvalSettings())[0]

    assert list(of_weights.thresholds) == ["without_mask", "with_mask", "mask_weared_incorrect"]
    assert dict(of_weights.partners) == {"without_mask": "without_mask", "with_mask": "with_mask"}
    assert of_weights.ap50 > 0.5
    assert of_weights.ap50 == pytest.approx(of_bundle.ap50, abs=1e-3)


def test_lack_of_memory_names_the_setting_of_eval(
    tmp_path: Path, drawn: DrawnSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*arguments: object) -> None:
        raise OutOfMemory("out of memory")

    monkeypatch.setattr(evaluate, "run_worker", run_out)
    job = make_job(tmp_path, drawn)
    with pytest.raises(OutOfMemory) as caught:
        evaluate_checkpoint(
            EvalJob(job.config, job.manifest, tmp_path / "best.pdparams", (64, 64), EvalSettings())
        )
    assert caught.value.hint == "lower eval.batch_size, or free memory"
