"""The demonstration's exit code is honest."""

from __future__ import annotations

import sys

import pytest

import demo


def test_a_failed_run_is_the_demonstrations_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "MASKDET", (sys.executable, "-c", "import sys; sys.exit(7)"))
    monkeypatch.setattr(demo, "end_on_sigterm", lambda: None)
    assert demo.main() == 7
