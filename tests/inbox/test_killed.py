"""Writers of an inbox are killed at random moments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def kill_inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(SCRIPTS)
    yield import_module("kill_inbox")
    sys.modules.pop("kill_inbox", None)


def test_killed_writers_leave_a_whole_inbox(kill_inbox: Any, tmp_path: Path) -> None:
    assert kill_inbox.kills(tmp_path, times=8, seed=7) == []
    # Something was written, between the kills too.
    assert len(list((tmp_path / "records").iterdir())) > 20
