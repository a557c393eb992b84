"""Why a request is refused. `problems` turns each class into an HTTP status."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import Self

from maskdet.errors import MaskdetError


class Refusal(MaskdetError):
    """Base of the reasons for which a request can be refused."""


class MalformedBody(Refusal):
    """The body is not the JSON, base64 or multipart that it claims to be."""


class BadOption(Refusal):
    """An option is unknown, of the wrong type or out of range."""


class NoPicture(Refusal):
    """The request is well-formed but holds no picture."""


class WrongType(Refusal):
    """The route does not read the body's content type."""


class BodyTooLarge(Refusal):
    """The body has more bytes, or more pictures, than the limit."""


class SlowBody(Refusal):
    """The body did not arrive in time."""


class ClientGone(Refusal):
    """The client closed the connection before the response."""


class Unauthorised(Refusal):
    """The request has no API key, or an unknown one."""


class WrongScope(Refusal):
    """The request's API key does not open this route."""


class NoInbox(Refusal):
    """The server keeps no pictures."""


class Forbidden(Refusal):
    """The request is not allowed from its origin."""


class BundleRefused(Refusal):
    """A new bundle failed to load or run; the old one stays in use."""


class UnknownRoute(Refusal):
    """No route has this path."""


class WrongMethod(Refusal):
    """The route exists, but not for this method."""


class UnknownModel(Refusal):
    """No model of this name is loaded."""

    @classmethod
    def named(cls, name: str, loaded: Iterable[str]) -> Self:
        """The refusal of a name that is none of those loaded."""
        return cls(f"there is no model {name[:80]!r}", f"loaded models: {', '.join(loaded)}")


class Busy(Refusal):
    """All places are taken; `retry_after_seconds` says when a retry is worthwhile."""

    def __init__(self, what: str, hint: str = "", retry_after_seconds: int = 1) -> None:
        super().__init__(what, hint)
        self.retry_after_seconds = retry_after_seconds


class Draining(Busy):
    """The server is stopping: it finishes accepted requests and takes no new ones."""


class NotReady(Busy):
    """The model has not yet passed its probe, or failed it."""
