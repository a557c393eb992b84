"""One of three servers is replaced and one is lost, behind the real nginx and under load."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from support import write_tiny_bundle
from trained import REPO


def test_no_request_fails_when_a_server_is_replaced_or_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(REPO / "scripts")
    if lacking := import_module("proxied").missing():
        pytest.skip(f"{lacking} is not installed")
    rolling = import_module("rolling_update")
    # With a model that takes no time, so that what fails is not a machine that is too slow.
    tiny = write_tiny_bundle(tmp_path / "tiny.onnx")
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text(import_module("deployment").BASE.read_text().replace(" default,", f" {tiny},"))

    phases = rolling.play(
        tmp_path, rolling.Plan(rolled=1, steady_seconds=1.0, pause_seconds=0.05), deployment
    )

    by_name = {phase.name: phase for phase in phases}
    assert list(by_name) == ["steady", "rolling update", "loss of one"]
    assert [answer for phase in phases for answer in phase.failed] == []
    assert all(len(phase.answers) > 16 for phase in phases)
    # Requests did meet the server that was gone: without nginx's second try they would have failed.
    assert by_name["loss of one"].retries["502"] > 0
