"""What is written down a moment later, and that nothing of it is lost."""

from __future__ import annotations

import threading

import pytest

from maskdet.serving.engine.ledger import MOST_ENTRIES, Ledger


def test_entries_are_done_in_order_by_another_thread() -> None:
    ledger, done, whole = Ledger(), [], threading.Event()
    ledger.start()
    for number in range(5):
        ledger.enter(lambda number=number: done.append((number, threading.current_thread().name)))  # type: ignore[misc]
    ledger.enter(whole.set)
    assert whole.wait(30)
    ledger.close()
    assert done == [(number, "ledger") for number in range(5)]


def test_settle_does_what_was_entered_before_it_returns() -> None:
    ledger, done = Ledger(), []
    ledger.enter(lambda: done.append(1))
    assert done == []
    ledger.settle()
    assert done == [1]


def test_a_failing_entry_is_logged_and_costs_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ledger, done = Ledger(), []
    ledger.enter([].pop)
    ledger.enter(lambda: done.append(1))
    ledger.settle()
    assert done == [1]
    assert [record.getMessage() for record in caplog.records] == ["entry failed"]


def test_entries_do_not_pile_up() -> None:
    ledger, done = Ledger(), []
    for _ in range(MOST_ENTRIES + 1):
        ledger.enter(lambda: done.append(1))
    assert len(done) == MOST_ENTRIES + 1


def test_close_does_what_is_left() -> None:
    ledger, done = Ledger(), []
    ledger.start()
    ledger.enter(lambda: done.append(1))
    ledger.close()
    assert done == [1]
