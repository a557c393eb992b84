"""Why the inbox refuses a picture or a decision."""

from __future__ import annotations

from maskdet.errors import MaskdetError


class InboxError(MaskdetError):
    """Base of the reasons for which the inbox refuses something."""


class BadBoxes(InboxError):
    """The boxes of a picture cannot be those of its faces."""


class InboxFull(InboxError):
    """There is no room for the picture, or it cannot be written."""


class InboxBusy(InboxError):
    """Another process holds the inbox for too long."""


class UnknownPicture(InboxError):
    """The inbox has no picture of this name."""


class DecidedMeanwhile(InboxError):
    """Somebody else changed the picture since it was read, or its state does not allow the step."""
