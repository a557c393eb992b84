"""Clients that send different pictures with different options at once: each gets its own answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import httpx
import pytest
from support import cell_box, paint

REQUESTS = 150
CLIENTS = {
    "top": ((1, 2), "with_mask", 0.5, (256, 256)),
    "bottom": ((6, 5), "without_mask", 0.2, (128, 320)),
    "none": ((3, 3), "with_mask", 1.0, (192, 192)),
    "many": ((0, 7), "without_mask", 0.9, (512, 384)),
}
"""Cell and label of the only face, threshold, size of the picture. No face reaches the threshold 1."""


def ask(url: str, name: str) -> int:
    """Send the client's picture again and again; how many answers were its own."""
    cell, label, threshold, (height, width) = CLIENTS[name]
    body = bytes(cv2.imencode(".png", paint({cell: label}, height, width)[..., ::-1])[1])
    query = {"threshold": threshold, "max_detections": 5}
    headers = {"content-type": "image/png", "x-request-id": f"client-{name}"}
    own = 0
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as session:
        for _ in range(REQUESTS):
            response = session.post("/v1/detect", content=body, params=query, headers=headers)
            assert response.status_code == 200
            [entry] = response.json()["results"]
            assert (entry["height"], entry["width"]) == (height, width)
            faces = [] if threshold == 1 else [(label, *cell_box(*cell, height, width))]
            assert [(face["label"], *face["box"]) for face in entry["detections"]] == [
                (face[0], *(pytest.approx(edge, abs=0.5) for edge in face[1:])) for face in faces
            ]
            own += response.json()["request_id"] == f"client-{name}"
    return own


def test_each_client_gets_its_own_answer(server_process: Callable[..., Any]) -> None:
    server = server_process(max_batch=4, batch_wait_ms=2)
    with ThreadPoolExecutor(2 * len(CLIENTS)) as pool:
        answered = list(pool.map(lambda name: ask(server.url, name), [*CLIENTS, *CLIENTS]))
    assert answered == [REQUESTS] * (2 * len(CLIENTS))
