"""The demonstration's exit code is honest."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_a_failed_run_is_the_demonstrations_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPTS)
    demo = import_module("demo")
    monkeypatch.setattr(demo, "MASKDET", (sys.executable, "-c", "import sys; sys.exit(7)"))
    monkeypatch.setattr(demo, "end_on_sigterm", lambda: None)
    assert demo.main() == 7
