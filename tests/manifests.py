"""The objects of deploy/kubernetes as kustomize renders them."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml
from trained import REPO

KUBERNETES = REPO / "deploy/kubernetes"
OVERLAYS = tuple(f"overlays/{one.name}" for one in sorted((KUBERNETES / "overlays").iterdir()))
FOLDERS = ("base", *OVERLAYS, "retraining", "kserve")


@cache
def objects_of(folder: str) -> tuple[dict[str, Any], ...]:
    """What kustomize makes of a folder."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    command = ["kubectl", "kustomize", str(KUBERNETES / folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def all_objects() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every object once: by its content, the folder it is found in first, and the object."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for folder in FOLDERS:
        for one in objects_of(folder):
            found.setdefault(json.dumps(one, sort_keys=True), (folder, one))
    return found


def object_of(folder: str, kind: str, name: str = "maskdet") -> dict[str, Any]:
    """A rendered object."""
    [found] = [one for one in objects_of(folder) if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def pod_of(one: dict[str, Any]) -> dict[str, Any] | None:
    """The spec of the pods that an object makes; a ServingRuntime's lacks what its InferenceService adds."""
    keys = {
        "Deployment": ("spec", "template", "spec"),
        "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
        "ServingRuntime": ("spec",),
    }
    if one["kind"] not in keys:
        return None
    for key in keys[one["kind"]]:
        one = one[key]
    return one


def kserve_pod() -> dict[str, Any]:
    """The pod that KServe makes of the runtime and the service that uses it."""
    predictor = object_of("kserve", "InferenceService", "face-mask")["spec"]["predictor"]
    return {**object_of("kserve", "ServingRuntime")["spec"], **predictor}
