"""Every command in deploy/ is one that maskdet understands."""

from __future__ import annotations

import configparser
import shlex
from collections.abc import Iterator

import pytest
import typer.main
from manifests import FOLDERS, objects_of, pod_of
from trained import REPO

from maskdet.cli.app import app

PODS = {"overlays/production": 2}
"""Objects with pods in a folder, where they are not one: the server, and the job that retrains."""


def commands_of_units() -> Iterator[tuple[str, list[str]]]:
    for path in sorted((REPO / "deploy/systemd").glob("*.service")):
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read(path)
        command = unit["Service"]["ExecStart"].replace("%i", "8866").replace("%S", "/var/lib")
        yield path.name, shlex.split(command)[1:]


def understand(arguments: list[str]) -> None:
    """Parse, and run nothing. Raises click's UsageError."""
    group = typer.main.get_command(app)
    name, *options = arguments
    with group.make_context("maskdet", [name]) as context:
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        assert command is not None, f"there is no command {name}"
        command.make_context(name, options)


@pytest.mark.parametrize("folder", FOLDERS)
def test_pods(folder: str) -> None:
    pods = [pod for one in objects_of(folder) if (pod := pod_of(one)) is not None]
    assert len(pods) == PODS.get(folder, 1)
    for pod in pods:
        assert pod["containers"][0]["command"] == ["maskdet"]
        understand(pod["containers"][0]["args"])


def test_units() -> None:
    units = dict(commands_of_units())
    assert sorted(units) == ["maskdet-retraining.service", "maskdet@.service"]
    for arguments in units.values():
        understand(arguments)


def test_a_misspelt_option_is_found() -> None:
    with pytest.raises(Exception, match="--monitors"):
        understand(["serve", "--monitors", "x"])
