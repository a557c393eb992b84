from __future__ import annotations

import asyncio
import threading
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from maskdet.errors import BundleError
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.http.unpacking import AT_ONCE_BYTES


def test_live_at_once_and_ready_after_the_probe(in_process: Any) -> None:
    starting = in_process(probed=False)

    assert starting.get("/health/live").json()["status"] == "alive"
    before = starting.get("/health/ready")
    asyncio.run(starting.engine.probe())
    after = starting.get("/health/ready")

    assert before.status_code == 503
    assert before.json()["error"]["code"] == "not_ready"
    assert "probe" in before.json()["error"]["message"]
    assert "retry-after" in before.headers
    assert (after.status_code, after.json()["status"]) == (200, "ready")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_a_load_balancer_may_ask_by_head(served: Any, path: str) -> None:
    answer = served.request("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_failed_probe_is_the_reason(in_process: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: ServedModel) -> None:
        raise BundleError("the model failed on a batch of 1")

    monkeypatch.setattr(ServedModel, "probe", fail)
    starting = in_process(probed=False)

    with pytest.raises(BundleError):
        asyncio.run(starting.engine.probe())

    answer = starting.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "the model failed on a batch of 1"


def test_draining_engine_is_alive_but_not_ready(in_process: Any) -> None:
    ending = in_process()
    ending.engine.drain()

    refused = ending.post("/v1/detect", content=b"x", headers={"content-type": "image/png"})

    assert ending.get("/health/live").status_code == 200
    assert ending.get("/health/ready").status_code == 503
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
    assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/openapi.json", "/v1/monitor"])
def test_a_body_that_takes_long_hides_no_figures(
    served: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    seen = threading.Event()

    def slowly(text: bytes) -> bytes:
        seen.wait(2)
        return unquote_to_bytes(text)

    async def both() -> tuple[bool, int]:
        async with served.client() as client:
            form = {"image": "A" * (AT_ONCE_BYTES + 1)}
            slow = asyncio.ensure_future(client.post("/v1/detect", data=form))
            await asyncio.sleep(0.2)
            answer = await client.get(path)
            waiting = not slow.done()
            seen.set()
            await slow
            return waiting, answer.status_code

    monkeypatch.setattr("maskdet.serving.http.forms.unquote_to_bytes", slowly)
    assert asyncio.run(both()) == (True, 200)
