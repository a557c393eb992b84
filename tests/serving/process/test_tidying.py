"""The inbox of a server that captures nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from inbox_pictures import proposal, stored
from waiting import until

from maskdet.inbox.inbox import Inbox
from maskdet.system.times import time_text


def test_a_server_removes_what_has_waited_too_long(server_process: Any, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    stays = proposed(folder, seed=0, days=3)  # Without it, the clock might be ahead.
    proposed(folder, seed=1, days=60)
    before = stored(folder)

    server_process(inbox=str(folder))

    until(lambda: stored(folder) == [name for name in before if stays in name])


def proposed(folder: Path, seed: int, days: float) -> str:
    """The name of a picture that was proposed so many days ago."""
    record = Inbox(folder).propose(proposal(seed))
    assert record is not None
    old = record.model_copy(update={"at": time_text(datetime.now(timezone.utc) - timedelta(days=days))})
    (folder / "records" / f"{old.name}.json").write_text(old.model_dump_json())
    return old.name
