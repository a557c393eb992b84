"""Removes from the inbox what has waited too long, whether or not the server captures anything."""

from __future__ import annotations

import asyncio
import contextlib

from maskdet.inbox.inbox import TIDY_SECONDS
from maskdet.inbox.refusals import InboxBusy, InboxFull
from maskdet.serving.app import open_inbox
from maskdet.serving.settings import ServeSettings


async def keep_tidy(settings: ServeSettings) -> None:
    """At once and then every ten minutes, off the event loop; returns if there is no inbox."""
    inbox = await asyncio.to_thread(open_inbox, settings)
    while inbox is not None:
        # A disk that is full now, or another process that writes now, may not be so the next time.
        with contextlib.suppress(InboxBusy, InboxFull):
            await asyncio.to_thread(inbox.tidy)
        await asyncio.sleep(TIDY_SECONDS)
