"""KServe's two objects: their fields, their containers, and the server that they start."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
from manifests import kserve_pod, object_of, objects_of
from support import paint

from rolling_update.deployment import of_pod
from rolling_update.replica import Replica
from served import free_port

RUNTIME_FIELDS = {
    "annotations": dict,
    "containers": list,
    "multiModel": bool,
    "protocolVersions": list,
    "supportedModelFormats": list,
    "volumes": list,
}
FORMAT_FIELDS = {"name": str, "version": str, "autoSelect": bool, "priority": int}
PREDICTOR_FIELDS = {
    "minReplicas": int,
    "maxReplicas": int,
    "scaleMetric": str,
    "scaleTarget": int,
    "model": dict,
}
MODEL_FIELDS = {"runtime": str, "protocolVersion": str, "modelFormat": dict, "storageUri": str}
"""Fields of serving.kserve.io that are used here, and their types in KServe's own definitions."""


def fits(found: dict[str, Any], fields: dict[str, type]) -> None:
    assert set(found) <= set(fields)
    assert all(type(value) is fields[key] for key, value in found.items())


def test_fields_are_those_of_kserve() -> None:
    runtime = object_of("kserve", "ServingRuntime")
    service = object_of("kserve", "InferenceService", "face-mask")
    predictor = service["spec"]["predictor"]
    pod_fields = {key for key in predictor if key not in PREDICTOR_FIELDS}

    assert (runtime["apiVersion"], service["apiVersion"]) == (
        "serving.kserve.io/v1alpha1",
        "serving.kserve.io/v1beta1",
    )
    fits(runtime["spec"], RUNTIME_FIELDS)
    for one in runtime["spec"]["supportedModelFormats"]:
        fits(one, FORMAT_FIELDS)
    assert set(service["spec"]) == {"predictor"}
    fits({key: predictor[key] for key in PREDICTOR_FIELDS}, PREDICTOR_FIELDS)
    fits(predictor["model"], MODEL_FIELDS)
    # The rest of a predictor is a pod's spec: see below.
    assert pod_fields == {
        "automountServiceAccountToken",
        "enableServiceLinks",
        "securityContext",
        "terminationGracePeriodSeconds",
    }
    # KServe refuses a utilization of more than 100.
    assert 1 <= predictor["scaleTarget"] <= 100


def test_the_pod_that_they_make_has_the_published_form() -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    pod = kserve_pod()
    ours = {*RUNTIME_FIELDS, *PREDICTOR_FIELDS} - {"containers", "volumes"}
    spec = {key: value for key, value in pod.items() if key not in ours}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "face-mask"}, "spec": spec}
    schemas.validate(made, "1.30", strict=True)


def test_runtime_and_service_fit_each_other() -> None:
    runtime = object_of("kserve", "ServingRuntime")
    model = object_of("kserve", "InferenceService", "face-mask")["spec"]["predictor"]["model"]
    formats = [(one["name"], one["version"]) for one in runtime["spec"]["supportedModelFormats"]]

    assert len(objects_of("kserve")) == 2
    assert model["runtime"] == runtime["metadata"]["name"]
    assert (model["modelFormat"]["name"], model["modelFormat"]["version"]) in formats
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    # The name is KServe's for the container that gets the model and the requests.
    assert [one["name"] for one in runtime["spec"]["containers"]] == ["kserve-container"]


def test_the_server_answers_under_the_name_of_the_service(tiny_models: Path, tmp_path: Path) -> None:
    wanted = of_pod(kserve_pod())
    here = {"{{.Name}}": "face-mask", "/mnt/models": str(tiny_models)}
    command = tuple(_replaced(one, here) for one in wanted.command)
    port = free_port()
    replica = Replica(replace(wanted, command=command), port, tmp_path / "pod")
    picture = cv2.imencode(".png", paint({(1, 2): "with_mask"})[:, :, ::-1])[1].tobytes()
    data = [base64.b64encode(picture).decode()]
    image = {"name": "image", "datatype": "BYTES", "shape": [1], "data": data}
    url = f"http://127.0.0.1:{port}/v2/models/face-mask"
    try:
        replica.start()
        replica.await_ready()
        ready = httpx.get(f"{url}/ready", trust_env=False)
        answer = httpx.post(f"{url}/infer", json={"inputs": [image]}, trust_env=False)
        replica.terminate()
    finally:
        replica.kill()

    assert ready.json() == {"name": "face-mask", "ready": True}
    assert answer.json()["model_name"] == "face-mask"
    assert {one["name"]: one["data"] for one in answer.json()["outputs"]}["bbox_num"] == [1]


def _replaced(text: str, values: dict[str, str]) -> str:
    for old, new in values.items():
        text = text.replace(old, new)
    return text
