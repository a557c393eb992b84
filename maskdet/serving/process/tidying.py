"""Removes from the inbox what has waited too long, whether or not the server captures anything."""

from __future__ import annotations

import asyncio
import contextlib

from maskdet.inbox.inbox import TIDY_SECONDS, Inbox
from maskdet.inbox.refusals import InboxBusy, InboxFull


async def keep_tidy(inbox: Inbox) -> None:
    """At once and then every ten minutes, off the event loop."""
    while True:
        # A disk that is full now, or another process that writes now, may not be so the next time.
        with contextlib.suppress(InboxBusy, InboxFull):
            await asyncio.to_thread(inbox.tidy)
        await asyncio.sleep(TIDY_SECONDS)
