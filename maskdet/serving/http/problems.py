"""The one table from error classes to HTTP statuses, and the body that every error has."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel
from starlette.responses import Response

from maskdet.errors import MaskdetError, PictureError
from maskdet.inbox.refusals import BadBoxes, DecidedMeanwhile, InboxBusy, InboxFull, UnknownPicture
from maskdet.serving import refusals
from maskdet.serving.http.json_writing import printable

INTERNAL = "internal"
"""The code of errors of the server itself."""


class Kind(NamedTuple):
    """A class of errors on the wire."""

    status: int
    code: str


KINDS: dict[type[MaskdetError], Kind] = {
    refusals.MalformedBody: Kind(400, "malformed_body"),
    refusals.NoPicture: Kind(400, "no_picture"),
    refusals.Unauthorised: Kind(401, "unauthorised"),
    refusals.WrongScope: Kind(403, "insufficient_scope"),
    refusals.NoInbox: Kind(403, "no_inbox"),
    refusals.Forbidden: Kind(403, "forbidden"),
    refusals.UnknownRoute: Kind(404, "unknown_route"),
    refusals.UnknownModel: Kind(404, "unknown_model"),
    UnknownPicture: Kind(404, "unknown_picture"),
    refusals.WrongMethod: Kind(405, "wrong_method"),
    refusals.BundleRefused: Kind(409, "bundle_refused"),
    DecidedMeanwhile: Kind(409, "conflict"),
    refusals.SlowBody: Kind(408, "slow_body"),
    refusals.BodyTooLarge: Kind(413, "body_too_large"),
    refusals.WrongType: Kind(415, "wrong_type"),
    PictureError: Kind(422, "bad_picture"),
    refusals.BadOption: Kind(422, "bad_option"),
    BadBoxes: Kind(422, "bad_option"),
    # 499 is nginx's number for a client that left: no one reads it, but it is distinct in the access log.
    refusals.ClientGone: Kind(499, "client_gone"),
    refusals.Draining: Kind(503, "draining"),
    refusals.NotReady: Kind(503, "not_ready"),
    refusals.Busy: Kind(503, "busy"),
    InboxBusy: Kind(503, "busy"),
    InboxFull: Kind(507, "inbox_full"),
    MaskdetError: Kind(500, INTERNAL),
}


class Problem(BaseModel):
    """One error, for programs (`code`) and people (`message`, `hint`)."""

    code: str
    message: str
    hint: str
    request_id: str


class ProblemBody(BaseModel):
    """The body of every response with a status of 400 or more."""

    error: Problem


def kind_of(error: Exception) -> Kind:
    """The entry of the error's own class or of its nearest base; an unknown error is internal."""
    for base in type(error).__mro__:
        if base in KINDS:
            return KINDS[base]
    return KINDS[MaskdetError]


def problem_of(error: Exception, request_id: str) -> Problem:
    """What a client may see of an error. An internal one reveals nothing about the server."""
    kind = kind_of(error)
    if kind.status == 500 or not isinstance(error, MaskdetError):
        return Problem(
            code=INTERNAL,
            message="the server failed on this request",
            hint="report it with the request id; the server's log has the cause",
            request_id=request_id,
        )
    return Problem(
        code=kind.code, message=printable(error.what), hint=printable(error.hint), request_id=request_id
    )


def problem_response(error: Exception, request_id: str) -> Response:
    """The JSON response to an error, with Retry-After where a retry can help."""
    body = ProblemBody(error=problem_of(error, request_id))
    headers = {}
    if isinstance(error, refusals.Busy):
        headers["retry-after"] = str(error.retry_after_seconds)
    elif isinstance(error, InboxBusy):
        headers["retry-after"] = "1"
    return Response(
        body.model_dump_json(),
        status_code=kind_of(error).status,
        media_type="application/json",
        headers=headers,
    )
