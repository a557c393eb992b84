"""Every rendered object against the published schemas, and its figures against the server's own."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from manifests import FOLDERS, OVERLAYS, all_objects, object_of, objects_of, pod_of
from support import write_tiny_bundle
from trained import REPO

from maskdet import __version__
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.served_model import ServedModel
from maskdet.serving.process.supervisor import GRACE_SECONDS
from maskdet.serving.settings import ServeSettings

OLDEST = "1.30"
"""The first version with preStop.sleep enabled."""
UNITS = {"": 1, "Mi": 1024**2, "Gi": 1024**3}
SERVED = ("base", *OVERLAYS)
SETTINGS = ServeSettings()


@pytest.fixture(scope="session")
def schemas() -> ModuleType:
    """The published schemas of Kubernetes; skips without them."""
    return pytest.importorskip("kubernetes_validate")


def test_every_object_has_the_published_form(schemas: ModuleType) -> None:
    for version in (OLDEST, schemas.latest_version()):
        for folder, one in all_objects().values():
            if one["apiVersion"].startswith("serving.kserve.io/"):
                continue  # see test_kserve.py
            try:
                schemas.validate(one, version, strict=True)
            except schemas.ValidationError as error:
                where = ".".join(map(str, error.path))
                pytest.fail(f"{folder}: {one['kind']} for {version}: {where}: {error.message}")


def test_the_schemas_find_a_misspelt_key(schemas: ModuleType) -> None:
    service = object_of("base", "Service")
    with pytest.raises(schemas.ValidationError, match="selectors"):
        schemas.validate({**service, "spec": {**service["spec"], "selectors": {}}}, OLDEST, strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods_have_no_rights(folder: str) -> None:
    pods = [pod for one in objects_of(folder) if (pod := pod_of(one)) is not None]
    assert pods
    for pod in pods:
        [container] = pod["containers"]
        rights = {**pod.get("securityContext", {}), **container["securityContext"]}
        for key in ("fsGroup", "fsGroupChangePolicy"):
            rights.pop(key, None)
        assert rights == {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "hostPath" not in str(pod["volumes"])
        assert {"cpu", "memory"} == set(container["resources"]["limits"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_images_are_of_this_version_and_of_no_registry(folder: str) -> None:
    images = {pod["containers"][0]["image"] for one in objects_of(folder) if (pod := pod_of(one))}
    ours = {f"maskdet:{__version__}", f"maskdet-train:{__version__}"}
    assert images <= ({"face-mask:1"} if folder == "overlays/model-image" else ours)


@pytest.mark.parametrize("folder", SERVED)
def test_the_server_has_time_to_answer_what_it_accepted(folder: str) -> None:
    pod = object_of(folder, "Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    # Even where endpoints are withdrawn by the probe alone, they are by then.
    withdrawn = container["readinessProbe"]["periodSeconds"] * container["readinessProbe"]["failureThreshold"]
    assert pause >= withdrawn
    assert pod["terminationGracePeriodSeconds"] >= pause + 2 * SETTINGS.drain_seconds + GRACE_SECONDS


@pytest.mark.parametrize("folder", SERVED)
def test_full_load_fits_the_memory(folder: str) -> None:
    [container] = object_of(folder, "Deployment")["spec"]["template"]["spec"]["containers"]
    limits = container["resources"]["limits"]
    threads = int(limits["cpu"]) + 1
    loaded = 400 * UNITS["Mi"]  # measured: docs/figures.md
    assert _bytes(limits["memory"]) >= loaded + SETTINGS.max_held_bytes + threads * 3 * SETTINGS.max_pixels


@pytest.mark.parametrize("folder", SERVED)
def test_names_lead_from_one_object_to_the_next(folder: str) -> None:
    deployment = object_of(folder, "Deployment")["spec"]
    pod = deployment["template"]
    [container] = pod["spec"]["containers"]
    labels = pod["metadata"]["labels"].items()
    service, policy, budget, scaling = (
        object_of(folder, kind)["spec"]
        for kind in ("Service", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler")
    )

    for selector in (deployment["selector"], policy["podSelector"], budget["selector"]):
        assert selector["matchLabels"].items() <= labels
    assert service["selector"].items() <= labels
    [port] = container["ports"]
    assert {one["port"] for rule in policy["ingress"] for one in rule["ports"]} == {port["name"]}
    assert [one["targetPort"] for one in service["ports"]] == [port["name"]]
    assert container["args"][container["args"].index("--port") + 1] == str(port["containerPort"])
    assert scaling["scaleTargetRef"]["name"] == "maskdet"
    assert budget["maxUnavailable"] < scaling["minReplicas"] < scaling["maxReplicas"]
    assert "replicas" not in deployment


@pytest.mark.parametrize("folder", FOLDERS)
def test_volumes_are_declared_or_named_in_the_docs(folder: str) -> None:
    declared = {
        one["metadata"]["name"] for one in objects_of(folder) if one["kind"] == "PersistentVolumeClaim"
    }
    docs = (REPO / "docs/deployment.md").read_text()
    for one in objects_of(folder):
        pod = pod_of(one) or {}
        mounted = {name["name"] for box in pod.get("containers", ()) for name in box["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod.get("volumes", ())}
        for volume in pod.get("volumes", ()):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            secret = volume.get("secret", {}).get("secretName")
            assert claim is None or claim in declared or f"`{claim}`" in docs
            assert secret is None or f"`{secret}`" in docs


def test_servers_scale_by_a_metric_that_they_have(tmp_path: Path) -> None:
    metrics = object_of("overlays/production", "HorizontalPodAutoscaler")["spec"]["metrics"]
    [named] = [one["pods"]["metric"]["name"] for one in metrics if one["type"] == "Pods"]
    model = ServedModel.load("", write_tiny_bundle(tmp_path / "tiny.onnx"), SETTINGS, cores=1)
    text, _ = Engine({"tiny": model}, SETTINGS).metrics.exposition()
    assert re.search(rf"^{named} ", text.decode() if isinstance(text, bytes) else text, re.MULTILINE)


def _bytes(quantity: str) -> Decimal:
    number, unit = re.fullmatch(r"(\d+)(\D*)", quantity).groups()  # type: ignore[union-attr]
    return Decimal(number) * UNITS[unit]
