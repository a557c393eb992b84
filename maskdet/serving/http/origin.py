"""Where a request comes from: a program on this machine, a page of this server, or a page of another one."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from fastapi import Request

from maskdet.serving.refusals import Forbidden

_PROXY = ("forwarded", "x-forwarded-for", "x-real-ip")


def refuse_foreign(request: Request, allowed: tuple[str, ...], *, keyed: bool) -> None:
    """A browser lets any page send a form to any server: raise Forbidden unless the page is one of ours.

    allowed: origins whose pages may, or "*"; keyed: whether the request needed a key.
    """
    origin = request.headers.get("origin")
    if origin is None or origin in allowed or "*" in allowed:
        return
    # Behind a proxy the host may have another name here; on secure pages the browser itself tells.
    told = request.headers.get("sec-fetch-site") == "same-origin"
    host = request.headers.get("host", "")
    same = host != "" and _parsed(origin).netloc == host
    if not told and not (same and (keyed or _may_name(request))):
        raise Forbidden(
            f"a page of {origin[:80]} may not use this route", "name its origin in serve.cors_origins"
        )


def require_program_here(request: Request) -> None:
    """Raise Forbidden unless the request is from a program on this machine.

    A page in a browser here, or a proxy here that forwards others' requests, would look local too.
    """
    if "origin" in request.headers or not _from_here(request):
        raise Forbidden(
            "without API keys this is only for programs on the server's machine",
            "call it there with curl, or start the server with an API key",
        )


def require_person_here(request: Request) -> None:
    """Raise Forbidden unless the request is from this machine, and meant for it by name."""
    if not _from_here(request) or not _is_named_here(request):
        raise Forbidden(
            "without API keys this is only for people at the server's machine",
            "open it there at 127.0.0.1, or give people keys with the scope review in serve.api_keys",
        )


def _may_name(request: Request) -> bool:
    """Whether the host that a request names can be believed."""
    return not _from_here(request) or _is_named_here(request)


def _is_named_here(request: Request) -> bool:
    """A page of another site can make its own name stand for this machine; the host that the browser then
    sends is still that name.
    """
    host = _parsed(f"//{request.headers.get('host', '')}").hostname or ""
    return host == "localhost" or _is_loopback(host)


def _parsed(address: str) -> SplitResult:
    """Empty if it is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _from_here(request: Request) -> bool:
    forwarded = any(name in request.headers for name in _PROXY)
    return not forwarded and _is_loopback(request.client.host if request.client else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
