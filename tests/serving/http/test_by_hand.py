"""Routes that are found without FastAPI, and the client of each request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from starlette.routing import BaseRoute, Match

from maskdet.serving.http.by_hand import Shortcut
from maskdet.serving.http.peer import Peer, peer_of
from maskdet.serving.refusals import ClientGone

Run = Callable[..., Any]


def shortcut_of(app: Any) -> Shortcut:
    inner = app.entrance
    while not isinstance(inner, Shortcut):
        inner = getattr(inner, "_app", None) or inner.app
    return inner


def leaves(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        yield from leaves(included.routes) if included else (route,)


def test_the_shortcut_calls_the_route_that_fastapi_would(served: Any) -> None:
    app = served.app
    found, routes = shortcut_of(app).routes, list(leaves(app.api.router.routes))
    assert ("POST", "/v1/detect") in found
    for (method, path), (route, _) in found.items():
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        first = next(one for one in routes if one.matches(dict(scope))[0] == Match.FULL)
        assert first is route


def test_an_unexpected_error_is_answered(in_process: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    app = in_process()
    monkeypatch.setattr(app.engine, "submit_all", lambda works: 1 / 0)
    answer = app.post(
        "/v1/detect", content=b"x", headers={"content-type": "image/jpeg", "x-request-id": "a1"}
    )
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "a1")
    assert answer.json()["error"]["code"] == "internal"


def test_a_peer_that_leaves_ends_the_wait() -> None:
    async def wait() -> tuple[bool, bool]:
        peer, answer = Peer(), asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(peer.unless_gone(answer))
        await asyncio.sleep(0)
        peer.leave()
        [outcome] = await asyncio.gather(waiting, return_exceptions=True)
        return isinstance(outcome, ClientGone), answer.cancelled()

    assert asyncio.run(wait()) == (True, True)


def test_a_peer_that_has_left_is_not_waited_for() -> None:
    async def wait() -> None:
        peer = Peer()
        peer.leave()
        await peer.unless_gone(asyncio.get_running_loop().create_future())

    with pytest.raises(ClientGone):
        asyncio.run(wait())


def test_a_cancelled_wait_stays_cancelled() -> None:
    async def wait() -> bool:
        answer = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(Peer().unless_gone(answer))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return waiting.cancelled() and answer.cancelled()

    assert asyncio.run(wait())


def test_each_request_has_one_peer() -> None:
    scope: dict[str, Any] = {"state": {}}
    assert peer_of(scope) is peer_of(scope)
