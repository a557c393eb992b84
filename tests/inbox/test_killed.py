"""Writers of an inbox are killed at random moments."""

from __future__ import annotations

from pathlib import Path

from breaking.inbox import kills


def test_killed_writers_leave_a_whole_inbox(tmp_path: Path) -> None:
    assert kills(tmp_path, times=8, seed=7) == []
    # Something was written, between the kills too.
    assert len(list((tmp_path / "records").iterdir())) > 20
