"""What `model.freeze` keeps as it came."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from trained import DrawnSet, make_job, run_training

from maskdet.training.settings import ModelSettings
from maskdet.training.start.weights import read_weights


@pytest.mark.parametrize("workers", [1, 2])
def test_a_frozen_backbone_stays_as_it_came(
    drawn: DrawnSet, best: Path, tmp_path: Path, workers: int
) -> None:
    job = make_job(tmp_path, drawn, pretrained=best, freeze="backbone", workers=workers, batch_size=8)
    run_training(job, drawn)
    before, after = read_weights(best), read_weights(job.out / "last.pdparams")
    # A moving average of what does not change is that value, up to rounding.
    kept = {name for name in before if np.allclose(before[name], after[name], rtol=1e-5, atol=1e-7)}
    backbone = {name for name in before if name.startswith("backbone.")}
    assert backbone <= kept
    assert any(name.endswith("_variance") for name in backbone)
    assert not any(name.endswith("_variance") for name in kept - backbone)
    assert "head.head_cls0.weight" not in kept


def test_nothing_is_frozen_unless_asked_for(drawn: DrawnSet, best: Path, tmp_path: Path) -> None:
    run_training(make_job(tmp_path, drawn, pretrained=best), drawn)
    before, after = read_weights(best), read_weights(tmp_path / "train" / "last.pdparams")
    statistics = [name for name in before if name.startswith("backbone.") and name.endswith("_variance")]
    assert not any(np.allclose(before[name], after[name], rtol=1e-5, atol=1e-7) for name in statistics)


def test_random_weights_are_not_frozen() -> None:
    with pytest.raises(ValidationError, match="random weights would stay random"):
        ModelSettings(pretrained="none", freeze="backbone")
