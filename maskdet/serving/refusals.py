"""Why a request is refused. `problems` turns each class into an HTTP status."""

from __future__ import annotations

from maskdet.errors import MaskdetError


class Refusal(MaskdetError):
    """Base of what a request can be refused for."""


class MalformedBody(Refusal):
    """The body is not the JSON, base64 or multipart that it claims to be."""


class BadOption(Refusal):
    """An option is unknown, of the wrong type or out of range."""


class NoPicture(Refusal):
    """The request is well-formed but holds no picture."""


class WrongType(Refusal):
    """The body's content type is not one that the route reads."""


class BodyTooLarge(Refusal):
    """The body has more bytes, or more pictures, than the limit."""


class SlowBody(Refusal):
    """The body did not arrive in time."""


class ClientGone(Refusal):
    """The client closed the connection before the answer."""


class Unauthorised(Refusal):
    """The request has no API key, or none that is known."""


class NoInbox(Refusal):
    """The server keeps no corrections."""


class InboxFull(Refusal):
    """The correction cannot be stored."""


class Forbidden(Refusal):
    """The request may not be made from where it comes from."""


class BundleRefused(Refusal):
    """A new bundle does not load or does not answer; the old one still does."""


class UnknownRoute(Refusal):
    """No route has this path."""


class WrongMethod(Refusal):
    """The route exists, but not for this method."""


class UnknownModel(Refusal):
    """No model of this name is loaded."""


class Busy(Refusal):
    """All places are taken; `retry_after_seconds` says when it is worth asking again."""

    def __init__(self, what: str, hint: str = "", retry_after_seconds: int = 1) -> None:
        super().__init__(what, hint)
        self.retry_after_seconds = retry_after_seconds


class Draining(Busy):
    """The server is stopping: it answers what it has accepted and takes nothing new."""


class NotReady(Busy):
    """The model has not yet answered its probe, or failed it."""
