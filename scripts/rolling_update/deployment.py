"""What a Deployment says about its server: command, environment, probes, and how it is ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from served import ROOT

BASE = ROOT / "deploy/kubernetes/base/deployment.yaml"


@dataclass(frozen=True, slots=True)
class Probe:
    """An HTTP probe; seconds, and failures in a row that count."""

    path: str
    period: float
    timeout: float
    failures: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """A container of a pod. `pause`: seconds before SIGTERM; `grace`: until SIGKILL, with the pause."""

    command: tuple[str, ...]
    environment: dict[str, str]
    startup: Probe
    readiness: Probe
    liveness: Probe
    pause: float
    grace: float

    def at(self, host: str, port: int) -> list[str]:
        """The command with an address of its own. Each pod has one, processes of one machine do not."""
        command = list(self.command)
        for option, value in (("--host", host), ("--port", str(port))):
            command[command.index(option) + 1] = value
        return command


def read(path: Path = BASE) -> Deployment:
    """The Deployment in a YAML file, which may hold other objects too."""
    found = [one for one in yaml.safe_load_all(path.read_text()) if one and one["kind"] == "Deployment"]
    return of_pod(found[0]["spec"]["template"]["spec"])


def of_pod(pod: dict[str, Any]) -> Deployment:
    """The first container of a pod's spec."""
    container = pod["containers"][0]
    return Deployment(
        command=(*container["command"], *container["args"]),
        environment={one["name"]: one["value"] for one in container.get("env", ())},
        startup=_probe(container["startupProbe"]),
        readiness=_probe(container["readinessProbe"]),
        liveness=_probe(container["livenessProbe"]),
        pause=container["lifecycle"]["preStop"]["sleep"]["seconds"],
        grace=pod["terminationGracePeriodSeconds"],
    )


def _probe(said: dict[str, Any]) -> Probe:
    return Probe(
        said["httpGet"]["path"], said["periodSeconds"], said["timeoutSeconds"], said["failureThreshold"]
    )
