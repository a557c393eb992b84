"""The whole loop with real parts: a wrong answer in production becomes a better model in production."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from maskdet.registry.records import Move
from maskdet.registry.registry import Registry

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loop") / "project"


@pytest.fixture(scope="module")
def told(project: Path) -> str:
    """What `make loop` prints."""
    done = subprocess.run(
        [sys.executable, REPO / "scripts" / "loop.py", project], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


@pytest.mark.slow
def test_no_request_fails_while_versions_come_and_go(told: str) -> None:
    counts = json.loads(told.splitlines()[-1])
    assert counts["failed"] == 0
    assert counts["requests"] > 100
    assert counts["versions"] == [1, 2, 1]


@pytest.mark.slow
def test_what_people_said_was_learnt_from(told: str, project: Path) -> None:
    del told
    manifest = json.loads((project / "runs" / "loop" / "prepare" / "manifest.json").read_text("utf-8"))
    learnt = [one for one in manifest["pictures"] if one["root"] == "inbox"]
    assert len(learnt) == 50
    states = [json.loads(path.read_text("utf-8")) for path in (project / "inbox").rglob("*.json")]
    accepted = [one for one in states if one.get("state") == "accepted"]
    assert len(accepted) == 20


@pytest.mark.slow
def test_every_step_is_on_record(told: str, project: Path) -> None:
    del told
    registry = Registry(project / "models")
    moves = [one for one in registry.history("loop") if isinstance(one, Move) and one.alias == "champion"]
    assert [(one.before, one.after, one.why) for one in moves] == [
        (None, 1, "the shipped model"),
        (1, 2, "passed the gates in maskdet run --ci"),
        (2, 1, "the demonstration"),
    ]
    gates = json.loads((registry.version("loop", 2).folder / "gates.json").read_text("utf-8"))
    assert gates["passed"] is True
