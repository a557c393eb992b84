"""The benchmark measures a real model; here the tests' tiny one, a few calls."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from support import write_tiny_bundle

REPOSITORY = Path(__file__).resolve().parents[2]


def test_a_row_for_every_way_of_asking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    bench = import_module("bench")
    files = [(REPOSITORY / "data" / "sample" / "JPEGImages" / "sample_000.jpg").read_bytes()]
    timings = bench.in_process(write_tiny_bundle(tmp_path / "tiny.onnx"), files, 3)
    assert timings[0].name == "decode"
    assert all(len(timing.seconds) == 3 and timing.wall > 0 for timing in timings)


def test_figures_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    timing = import_module("bench").Timing("decode", [0.01, 0.02, 0.03], 0.1)
    assert timing.row() == "| decode | 30.0 | 20.00 | 29.00 |"
