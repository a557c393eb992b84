"""What `model.freeze` keeps as it came, and which statistics a start that knows the classes keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from trained import DrawnSet, make_job, run_training

from maskdet.training.settings import ModelSettings
from maskdet.training.start.weights import read_weights


def with_fresh_class(data: DrawnSet) -> DrawnSet:
    return replace(data, manifest=replace(data.manifest, labels=(*data.manifest.labels, "visor")))


def unchanged(one: Path, two: Path) -> set[str]:
    """Names of the weights that are the same in both, up to the rounding of a moving average."""
    before, after = read_weights(one), read_weights(two)
    return {
        name
        for name in before
        if before[name].shape == after[name].shape
        and np.allclose(before[name], after[name], rtol=1e-5, atol=1e-7)
    }


def statistics(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.endswith("_variance")}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_frozen_backbone_stays_as_it_came(
    drawn: DrawnSet, best: Path, tmp_path: Path, workers: int
) -> None:
    data = with_fresh_class(drawn)
    job = make_job(tmp_path, data, pretrained=best, freeze="backbone", workers=workers, batch_size=8)
    run_training(job, data)
    kept = unchanged(best, job.out / "last.pdparams")
    backbone = {name for name in read_weights(best) if name.startswith("backbone.")}
    assert backbone <= kept
    assert statistics(backbone)
    assert not statistics(kept - backbone)
    assert "neck.conv_t.convs.0.conv.weight" not in kept


def test_nothing_is_frozen_unless_asked_for(drawn: DrawnSet, best: Path, tmp_path: Path) -> None:
    data = with_fresh_class(drawn)
    run_training(make_job(tmp_path, data, pretrained=best), data)
    assert not statistics(unchanged(best, tmp_path / "train" / "last.pdparams"))


@pytest.mark.parametrize("variant", ["picodet_s_320_esnet", "picodet_xs_320"])
def test_a_start_that_knows_the_classes_keeps_its_statistics_alone(
    drawn: DrawnSet, tmp_path: Path, variant: str
) -> None:
    first = make_job(tmp_path / "first", drawn, variant=variant)
    run_training(first, drawn)
    start = first.out / "best.pdparams"
    job = make_job(tmp_path / "job", drawn, variant=variant, pretrained=start, optimizer="adamw")
    run_training(job, drawn)
    weights = read_weights(start)
    assert statistics(weights)
    # The spare copies of PicoHeadV2's layers and the constants of its losses are no weights that learn.
    kept = {name for name in unchanged(start, job.out / "last.pdparams") if weights[name].ndim == 4}
    assert statistics(weights) <= unchanged(start, job.out / "last.pdparams")
    assert kept == set()


def test_random_weights_are_not_frozen() -> None:
    with pytest.raises(ValidationError, match="random weights would stay random"):
        ModelSettings(pretrained="none", freeze="backbone")
