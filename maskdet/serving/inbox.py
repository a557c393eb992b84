"""An inbox with the limits of the `serve` section: all that write to it keep and remove the same pictures."""

from __future__ import annotations

from pathlib import Path

from maskdet.detector.picture import PictureLimits
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.limits import InboxLimits
from maskdet.serving.settings import ServeSettings


def open_inbox(folder: Path, settings: ServeSettings) -> Inbox:
    """Create or recover the folder. Raises ServingError if it is not writable, InboxBusy."""
    capture = settings.capture
    return Inbox(
        folder,
        InboxLimits(
            picture=PictureLimits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels),
            pictures=settings.inbox_pictures,
            waiting=capture.max_pictures,
            waiting_bytes=capture.max_bytes,
            days=capture.max_days,
        ),
    )
