"""The time of two models, compared picture by picture."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
from gates_val import Val

from maskdet.detector.bundle import load_bundle
from maskdet.gates.latency import p95, p95_ratio, time_in_turn
from maskdet.judging.bundles import see_val
from maskdet.system import machine


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


def test_steps_of_a_coarse_clock_do_not_matter(val: Val, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows counts a thread's time in steps of 15.6 ms."""
    fine = time.thread_time
    monkeypatch.setattr(time, "thread_time", lambda: fine() // (1 / 64) / 64)
    monkeypatch.setattr(machine, "sys", SimpleNamespace(platform="win32"))
    bundle = load_bundle(val.model("same"))
    both = time_in_turn([bundle, bundle], val.whole, 4)
    assert all((times > 0).all() for times in both)
    assert np.isfinite(p95_ratio(*both)[0])
    assert see_val(bundle, val.first(2).whole).milliseconds > 0


def test_each_model_is_timed_on_each_of_the_pictures_spread_over_val(val: Val) -> None:
    bundle = load_bundle(val.model("same"))
    both = time_in_turn([bundle, bundle], val.whole, 4)
    assert [len(times) for times in both] == [4, 4]
    assert all((times > 0).all() for times in both)
    assert [len(times) for times in time_in_turn([bundle], val.first(3).whole, 40)] == [3]
