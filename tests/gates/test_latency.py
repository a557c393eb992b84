"""The time of two models, compared picture by picture."""

from __future__ import annotations

import numpy as np
import pytest
from gates_val import Val

from maskdet.detector.bundle import load_bundle
from maskdet.gates.latency import p95, p95_ratio, time_in_turn


def test_what_slows_a_picture_for_both_models_is_no_difference() -> None:
    """The machine was busy during some pictures; the second model takes a fifth longer for each."""
    busy = np.random.default_rng(2).lognormal(3, 0.5, 40)
    value, interval = p95_ratio(1.2 * busy, busy)
    assert value == pytest.approx(1.2)
    assert interval == pytest.approx((1.2, 1.2))
    alone, ends = p95(busy)
    assert ends is not None
    assert ends[0] < alone <= ends[1]
    assert ends[1] > 1.2 * ends[0]


def test_each_model_is_timed_on_each_of_the_pictures_spread_over_val(val: Val) -> None:
    bundle = load_bundle(val.model("same"))
    both = time_in_turn([bundle, bundle], val.whole, 4)
    assert [len(times) for times in both] == [4, 4]
    assert all((times > 0).all() for times in both)
    assert [len(times) for times in time_in_turn([bundle], val.first(3).whole, 40)] == [3]
