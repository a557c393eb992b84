"""Hundreds of hostile bodies from several clients at once, against a real server process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from support import paint

from fuzz import barrage

MASKED = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
LATE_MS = 100.0
"""What the 99th percentile of /health/live may have over that of a process with nothing to do."""
BODY_BYTES = 4_000_000


@pytest.mark.slow
def test_no_body_keeps_the_server_from_saying_that_it_lives(
    server_process: Callable[..., Any], tmp_path: Path
) -> None:
    server = server_process(max_upload_bytes=BODY_BYTES + 100_000, inbox=str(tmp_path / "inbox"))

    outcome = barrage.attack(server.port, "tiny", BODY_BYTES)

    live, bystander = outcome.live["server"], outcome.live["bystander"]
    assert outcome.faults == []
    assert sum(outcome.statuses.values()) > 200
    # All kinds of answers, and for each body one: else the attacks themselves would be broken.
    assert {200, 400, 413, 422, 431} <= set(outcome.statuses)
    assert live["answers"] > 200
    assert live["p99"] < bystander["p99"] + LATE_MS, outcome.live
    answer = httpx.post(f"{server.url}/v1/detect", content=MASKED, headers={"content-type": "image/png"})
    assert answer.json()["results"][0]["detections"][0]["label"] == "with_mask"
    assert server.end() == 0
    assert [line for line in server.log() if "traceback" in line] == []
    assert Counter(line["status"] for line in server.log() if line["message"] == "request")[500] == 0


def test_each_attack_is_made_once_and_aims_at_every_route() -> None:
    names = [one.what for one in barrage.attacks("tiny", 1000)]

    assert len(names) == len(set(names)) > 200
    aimed = {name.split()[0] for name in names}
    assert {"/v1/detect", "/predict/clas_system", "/api/", "/infer", "/v2/models/tiny/infer"} <= aimed
