"""The audit file: what is dropped, and what is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.inbox.audit import AuditLog


def written(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setattr("maskdet.inbox.audit.MAX_BYTES", 100)
    for number in range(10):
        log.write("seen", picture=str(number), why="a\u2028b")
    return [line["picture"] for line in log.lines()]


def test_the_oldest_lines_of_an_inbox_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = written(AuditLog(tmp_path), monkeypatch)
    assert left == [str(number) for number in range(10)][-len(left) :]
    assert len(left) < 10


def test_a_file_that_keeps_all_drops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path, keeps_all=True)
    assert written(log, monkeypatch) == [str(number) for number in range(10)]
    assert [path.name for path in tmp_path.iterdir()] == ["audit.jsonl"]
