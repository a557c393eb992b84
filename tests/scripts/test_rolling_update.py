"""One of three servers is replaced and one is lost, behind the real nginx and under load."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import write_tiny_bundle

from rolling_update import proxied
from rolling_update.__main__ import Plan, play
from rolling_update.deployment import BASE


def test_no_request_fails_when_a_server_is_replaced_or_lost(tmp_path: Path) -> None:
    if lacking := proxied.missing():
        pytest.skip(f"{lacking} is not installed")
    # With a model that takes no time, so that what fails is not a machine that is too slow.
    tiny = write_tiny_bundle(tmp_path / "tiny.onnx")
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text(BASE.read_text().replace(" default,", f" {tiny},"))

    phases = play(tmp_path, Plan(rolled=1, steady_seconds=1.0, pause_seconds=0.05), deployment)

    by_name = {phase.name: phase for phase in phases}
    assert list(by_name) == ["steady", "rolling update", "loss of one"]
    assert [answer for phase in phases for answer in phase.failed] == []
    assert all(len(phase.answers) > 16 for phase in phases)
    # Requests did meet the server that was gone: without nginx's second try they would have failed.
    assert by_name["loss of one"].retries["502"] > 0
