"""A step in parts, as after lack of memory, is the step of the whole batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trained import DrawnSet, make_job, run_script

SCRIPT = Path(__file__).with_name("step_in_parts.py")


@pytest.fixture(scope="module", params=["picodet_xs_320", "picodet_s_320_esnet"])
def told(request: pytest.FixtureRequest, drawn: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of each network's head, whose losses have different divisors."""
    job = make_job(tmp_path_factory.mktemp("parts"), drawn, variant=request.param, side=128)
    return run_script(SCRIPT, job.config)


def test_a_step_in_parts_has_the_gradients_of_the_batch(told: dict[str, Any]) -> None:
    assert len(told["epochs"]) == 2
    for epoch in told["epochs"]:
        assert max(epoch["differ"]) < 1e-4


def test_a_step_in_parts_tells_the_losses_of_the_batch(told: dict[str, Any]) -> None:
    assert len(told["epochs"]) == 2
    for epoch in told["epochs"]:
        whole, *parted = epoch["losses"]
        assert whole["loss"] > 0
        assert [each == pytest.approx(whole, rel=1e-4) for each in parted] == [True, True]


def test_running_statistics_are_updated_once_by_each_part(told: dict[str, Any]) -> None:
    whole, halves = told["shift"]
    assert whole > 0
    assert halves == pytest.approx(whole * 1.9, rel=1e-3)
