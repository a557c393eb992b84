"""Mixed precision, as far as it can be told without a GPU: its scaled loss is real, float16 is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trained import DrawnSet, make_job, run_script

SCRIPT = Path(__file__).with_name("mixed.py")


@pytest.fixture(scope="module")
def told(drawn: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    job = make_job(tmp_path_factory.mktemp("mixed"), drawn, variant="picodet_xs_320", side=64)
    found: dict[str, Any] = run_script(SCRIPT, job.config)
    return found


def test_a_scaled_loss_trains_to_the_same_bits(told: dict[str, Any]) -> None:
    plain, scaled = told["losses"]
    assert told["same"]
    assert plain == scaled
    assert plain[1] != plain[0]


def test_paddle_is_asked_for_float16(told: dict[str, Any]) -> None:
    assert told["asked"] == {"level": "O1", "dtype": "float16"}


def test_an_overflow_skips_the_step_and_lowers_the_scale(told: dict[str, Any]) -> None:
    assert told["overflow"] == {"kept": True, "scale": 512.0}


def test_a_resume_keeps_the_scale(told: dict[str, Any]) -> None:
    assert told["resumed"] == [1024.0, [2, 0]]


def test_losses_are_computed_in_full(told: dict[str, Any]) -> None:
    full, rounded = told["float16"]
    assert rounded == pytest.approx(full, rel=0.01)


def test_a_device_without_float16_is_refused(told: dict[str, Any]) -> None:
    assert [f"train.amp: {name} does not compute in float16" for name in ("cpu", "gpu:0")] == told["refused"]
    assert told["full"]
