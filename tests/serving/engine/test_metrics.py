from __future__ import annotations

import re
from typing import Any

import cv2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import paint

PNG = {"content-type": "image/png"}
BOTH = cv2.imencode(
    ".png", paint({(1, 1): "with_mask", (2, 5): "without_mask", (5, 5): "with_mask"})[:, :, ::-1]
)[1].tobytes()


def samples(app: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    response = app.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def value(found: Any, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_faces_verdicts_and_stages_are_counted(in_process: Any) -> None:
    app = in_process()
    app.post("/v1/detect", content=BOTH, headers={**PNG, "x-camera": "gate-1"})
    app.post("/predict/tiny", files={"images": ("a.png", BOTH)}, headers={"x-camera": "gate-1"})

    found = samples(app)

    faces = {"camera": "gate-1", "label": "with_mask", "compliant": "yes"}
    assert value(found, "maskdet_faces_total", **faces) == 4
    assert value(found, "maskdet_pictures_total", verdict="violation", camera="gate-1") == 2
    assert value(found, "maskdet_compliance_ratio") == pytest.approx(2 / 3)
    assert value(found, "maskdet_face_score_count", label="without_mask") == 2
    assert value(found, "maskdet_face_pixels_sum") == pytest.approx(6 * 32, abs=1)
    for stage in ("queue", "decode", "preprocess", "inference", "postprocess"):
        assert value(found, "maskdet_stage_seconds_count", stage=stage) == 2
    assert value(found, "maskdet_batch_pictures_count") == 4  # the two of the probe are passes too
    assert value(found, "maskdet_queue_pictures") == 0
    assert value(found, "maskdet_held_bytes") == 0
    assert value(found, "maskdet_ready") == 1


@pytest.mark.parametrize(
    "named", [{"headers": {"x-camera": "门 1".encode()}}, {"params": {"camera": "门 1"}}]
)
def test_camera_whose_name_is_refused_is_reported_once(
    in_process: Any, caplog: pytest.LogCaptureFixture, named: dict[str, Any]
) -> None:
    app = in_process()
    headers = {**PNG, **named.pop("headers", {})}

    for _ in range(2):
        app.post("/v1/detect", content=BOTH, headers=headers, **named).raise_for_status()

    told = [one.fields["camera"] for one in caplog.records if one.getMessage() == "camera not counted"]
    assert told == ["门 1"]
    assert value(samples(app), "maskdet_pictures_total", verdict="violation", camera="") == 2


def test_camera_may_be_named_in_the_url_of_every_route(in_process: Any) -> None:
    app = in_process()
    app.post("/v1/detect?camera=gate&visualize=1", content=BOTH, headers=PNG).raise_for_status()
    app.post("/predict/tiny?camera=gate", files={"images": ("a.png", BOTH)})
    app.post("/v1/detect?camera=gate", content=BOTH, headers={**PNG, "x-camera": "hall"})

    found = samples(app)
    assert value(found, "maskdet_pictures_total", verdict="violation", camera="gate") == 2
    assert value(found, "maskdet_pictures_total", verdict="violation", camera="hall") == 1


def test_first_swap_and_refusal_are_changes_of_counters_that_are_there(in_process: Any) -> None:
    found = samples(in_process())

    for outcome in ("swapped", "refused"):
        assert value(found, "maskdet_reloads_total", model="tiny", outcome=outcome) == 0
    assert value(found, "maskdet_bundle_refused", model="tiny") == 0


def test_requests_and_refusals_are_counted_by_route_pattern(in_process: Any) -> None:
    app = in_process()
    app.post("/v1/detect", content=b"no picture", headers=PNG)
    app.post("/predict/lac", json={})
    app.get("/wp-admin/1")
    app.request("BREW", "/wp-admin/2")

    found = samples(app)

    count = "maskdet_requests_total"
    assert value(found, count, method="POST", route="/v1/detect", status="422") == 1
    assert value(found, count, method="POST", route="/predict/{module}", status="200") == 1
    assert value(found, count, method="GET", route="other", status="404") == 1
    assert value(found, count, method="other", route="other", status="404") == 1
    assert value(found, "maskdet_refusals_total", code="bad_picture") == 1
    assert value(found, "maskdet_refusals_total", code="unknown_model") == 1


def test_clients_cannot_make_series_without_end(in_process: Any) -> None:
    app = in_process()
    for number in range(130):
        app.post("/v1/detect", content=BOTH, headers={**PNG, "x-camera": f"cam-{number}"})
    app.post("/v1/detect", content=BOTH, headers={**PNG, "x-camera": b'odd"} 1\n'.hex() * 20})

    cameras = {
        camera
        for _, camera in re.findall(r'(maskdet_pictures_total).*camera="([^"]*)"', app.get("/metrics").text)
    }

    assert len(cameras) <= 102
    assert "other" in cameras
