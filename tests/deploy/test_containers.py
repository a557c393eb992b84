"""What can be said of the images and the compose file without building or starting them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from trained import REPO

from maskdet.serving.process.supervisor import GRACE_SECONDS
from maskdet.serving.settings import ServeSettings

DEPLOY = REPO / "deploy"
TARGETS = ("serve", "serve-gpu", "train")
USER = "65532:65532"


class Step(NamedTuple):
    """One instruction of a Dockerfile."""

    kind: str
    text: str


def stages() -> dict[str, list[Step]]:
    """The Dockerfile's steps by stage; what comes before the first one is under an empty name."""
    lines = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    whole = "\n".join(line for line in lines if not line.lstrip().startswith("#")).replace("\\\n", " ")
    found: dict[str, list[Step]] = {"": []}
    name = ""
    for line in filter(None, map(str.strip, whole.splitlines())):
        kind, _, text = line.partition(" ")
        if kind == "FROM":
            name = text.partition(" AS ")[2]
            found[name] = []
        found[name].append(Step(kind, " ".join(text.split())))
    return found


def chain(name: str) -> Iterator[Step]:
    """The steps of a stage, its parents' first."""
    every = stages()
    parent = every[name][0].text.partition(" AS ")[0]
    if parent in every:
        yield from chain(parent)
    yield from every[name][1:]


def last(name: str, kind: str) -> str:
    return [step.text for step in chain(name) if step.kind == kind][-1]


def requirements(name: str) -> set[str]:
    lines = (REPO / "requirements" / name).read_text(encoding="utf-8").splitlines()
    pins = [line.rstrip(" \\") for line in lines if re.match(r"[A-Za-z]", line)]
    return {canonicalize_name(Requirement(pin).name) for pin in pins}


def allowed() -> list[str]:
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def test_stages_come_from_the_base_or_from_stages_before() -> None:
    known = {"${BASE}"}
    for name, steps in stages().items():
        if name:
            assert steps[0].text.partition(" AS ")[0] in known
            known.add(name)
    assert known > set(TARGETS)
    assert stages()[""] == [Step("ARG", "BASE=python:3.12-slim")]


def test_each_copied_path_exists_and_is_not_ignored() -> None:
    copied = [step.text.split() for steps in stages().values() for step in steps if step.kind == "COPY"]
    stages_named = {words[0].removeprefix("--from=") for words in copied if words[0].startswith("--from=")}
    assert stages_named == {"serve-packages", "serve-gpu-packages", "train-packages"}
    assert stages_named < set(stages())
    paths = {path for words in copied if not words[0].startswith("--from=") for path in words[:-1]}
    assert paths >= {"maskdet", "pyproject.toml", "LICENSE", "requirements/serve.txt"}
    for path in paths:
        assert (REPO / path).exists(), path
        assert any(fnmatch(path, rule) for rule in allowed()), path


def test_everything_that_is_let_through_exists() -> None:
    assert "maskdet" in allowed()
    for rule in allowed():
        assert list(REPO.glob(rule)), rule


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_a_user_without_rights(target: str) -> None:
    assert last(target, "USER") == USER


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_says_what_it_is(target: str) -> None:
    labels = " ".join(step.text for step in chain(target) if step.kind == "LABEL")
    for key in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{key}=" in labels
    assert 'maskdet.sbom="/opt/maskdet/sbom.cdx.json"' in labels


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_is_installed_from_a_lock_with_hashes(target: str) -> None:
    [install] = [
        step for step in stages()[f"{target}-packages"] if step.kind == "RUN" and "install.sh" in step.text
    ]
    assert f"./install.sh {target}" in install.text
    text = (REPO / "requirements" / f"{target}.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if re.match(r"[A-Za-z]", line)]
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert "--require-hashes" in (DEPLOY / "docker" / "install.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["serve", "serve-gpu"])
def test_a_server_is_asked_whether_it_is_ready_and_gets_its_signals(target: str) -> None:
    check, entry = last(target, "HEALTHCHECK"), json.loads(last(target, "ENTRYPOINT"))
    assert f"'127.0.0.1', {ServeSettings().port}" in check
    assert "/health/ready" in check
    # A list: with a shell in between, the shell would be process 1 and keep the signal.
    assert entry[:2] == ["maskdet", "serve"]
    assert last(target, "STOPSIGNAL") == "SIGTERM"
    assert last(target, "EXPOSE") == str(ServeSettings().port)


def test_the_server_has_no_more_than_it_needs() -> None:
    locked, base = requirements("serve.txt"), requirements("serve-base.in")
    signing = {"cryptography", "model-signing", "pyopenssl"}
    assert base | {"onnxruntime"} == requirements("runtime.in") | signing
    assert base | {"onnxruntime"} <= locked
    assert locked.isdisjoint({"lxml", "matplotlib", "paddlepaddle", "paddledet", "onnx"})
    assert locked - {"onnxruntime"} == {
        name for name in requirements("serve-gpu.txt") if not name.startswith(("nvidia-", "onnxruntime-gpu"))
    }


@pytest.mark.parametrize("lock", ["serve.txt", "serve-gpu.txt"])
def test_the_server_has_the_versions_that_the_tests_run_with(lock: str) -> None:
    def pins(name: str) -> set[str]:
        text = (REPO / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9._-]+==[^ ;\\]+", text, re.MULTILINE))

    own = {pin for pin in pins(lock) if not pin.startswith(("nvidia-", "onnxruntime-gpu=="))}
    assert own <= pins("dev.txt")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))


def test_the_compose_file_fits_its_schema() -> None:
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
            DEPLOY / "compose.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def written_by_compose(compose: Any, service: Any) -> list[str]:
    """Configs and secrets that Compose writes into the container, which it refuses for a read-only one.

    It mounts only those from a file (https://github.com/docker/compose/issues/12031).
    """
    used = [(kind, one) for kind in ("configs", "secrets") for one in service.get(kind, ())]
    named = [(kind, one if isinstance(one, str) else one["source"]) for kind, one in used]
    return [name for kind, name in named if "file" not in compose[kind][name]]


def test_services_are_confined_and_reached_from_this_machine_only(compose: Any) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is not bool(written_by_compose(compose, service)), name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        for port in service["ports"]:
            assert port.startswith(("127.0.0.1:", "${MASKDET_ADDRESS:-127.0.0.1}:")), name


def test_images_have_plain_names_and_versions(compose: Any) -> None:
    for service in compose["services"].values():
        image = re.sub(r"^\$\{\w+:-(.+)\}$", r"\1", service["image"])
        assert re.fullmatch(r"([a-z]+/)?[a-z]+:[a-z0-9.]+", image)
        assert not image.endswith(":latest")


def test_what_services_mount_exists(compose: Any) -> None:
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]


def test_the_server_has_time_to_drain(compose: Any) -> None:
    service = compose["services"]["maskdet"]
    least = 2 * ServeSettings().drain_seconds + GRACE_SECONDS
    page = (REPO / "docs" / "containers.md").read_text(encoding="utf-8")
    periods = [service["stop_grace_period"].removesuffix("s"), *re.findall(r"--stop-timeout (\d+)", page)]
    assert min(map(float, periods)) >= least
    writable = [one.split(":") for one in service["volumes"] if not one.endswith(":ro")]
    made = " ".join(step.text for step in stages()["runtime"] if step.kind == "RUN")
    for _, place in writable:
        assert f" {place}" in made, "a named volume takes its owner from the image"


def test_the_dashboard_is_whole() -> None:
    folder = DEPLOY / "grafana"
    dashboard = json.loads((folder / "dashboards" / "maskdet.json").read_text(encoding="utf-8"))
    [source] = yaml.safe_load((folder / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells), "panels overlap"
    assert max(x for x, _ in cells) < 24
    used = {to["datasource"]["uid"] for panel in panels for to in panel.get("targets", ())}
    assert used == {source["uid"]}
    mounted = PurePosixPath(
        yaml.safe_load((folder / "provisioning/dashboards/maskdet.yml").read_text())["providers"][0][
            "options"
        ]["path"]
    )
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))["services"]["grafana"]
    assert f"./grafana/dashboards:{mounted}:ro" in compose["volumes"]
