"""The units: does systemd accept them, and what could a server do that was taken over?"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from trained import REPO

from maskdet.serving.process.supervisor import GRACE_SECONDS
from maskdet.serving.settings import ServeSettings

UNITS = REPO / "deploy/systemd"
SYSTEM = Path("/usr/lib/systemd/system")
MOST_EXPOSURE = {"maskdet@.service": 1.5, "maskdet-retraining.service": 1.5}
"""Of 10; systemd calls up to 1.9 `OK`, and a unit without any protection 9.6."""


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None or not SYSTEM.is_dir():
        pytest.skip("systemd is not installed")
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system with these units and an executable where they expect one."""
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree(SYSTEM, folder / "usr/lib/systemd/system", symlinks=True)
    shutil.copytree(UNITS, folder / "etc/systemd/system")
    maskdet = folder / "opt/maskdet/bin/maskdet"
    maskdet.parent.mkdir(parents=True)
    maskdet.write_text("#!/bin/sh\n")
    maskdet.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "unit", ["maskdet@8866.service", "maskdet-retraining.service", "maskdet-retraining.timer"]
)
def test_systemd_accepts_it(unit: str, root: Path) -> None:
    done = analyze("verify", "--man=no", f"--root={root}", unit)
    # Units of the system itself may name programs that are elsewhere.
    ours = [line for line in done.stderr.splitlines() if "maskdet" in line]
    assert (ours, done.returncode) == ([], 0), done.stderr


def test_systemd_would_report_an_unknown_key(root: Path) -> None:
    unit = root / "etc/systemd/system/misspelt.service"
    unit.write_text((UNITS / "maskdet-retraining.service").read_text().replace("UMask=", "UMasks="))
    assert "UMasks" in analyze("verify", "--man=no", f"--root={root}", "misspelt.service").stderr


@pytest.mark.parametrize("unit", sorted(MOST_EXPOSURE))
def test_exposure_is_low(unit: str) -> None:
    done = analyze("security", "--offline=true", UNITS / unit)
    found = re.search(r"Overall exposure level for .*: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST_EXPOSURE[unit], done.stdout


def service(unit: str) -> configparser.SectionProxy:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.read(UNITS / unit)
    return parsed["Service"]


def registry_of(unit: str) -> str:
    [path] = re.findall(r"MASKDET_REGISTRY=(\S+)", service(unit)["Environment"])
    return str(path)


def test_the_server_has_time_to_answer_what_it_accepted() -> None:
    least = 2 * ServeSettings().drain_seconds + GRACE_SECONDS
    assert int(service("maskdet@.service")["TimeoutStopSec"]) >= least


@pytest.fixture(scope="module")
def steps() -> str:
    """The commands under the heading systemd."""
    page = (REPO / "docs/deployment.md").read_text(encoding="utf-8")
    section = page.partition("\n## systemd\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"```bash\n(.*?)```", section, re.DOTALL))


@pytest.mark.parametrize("unit", sorted(MOST_EXPOSURE))
def test_the_steps_make_the_folders_that_a_unit_needs(unit: str, steps: str) -> None:
    settings = service(unit)
    keys = ("WorkingDirectory", "ReadWritePaths", "ReadOnlyPaths")
    named = " ".join(settings.get(key, "") for key in keys).split()
    # systemd makes those with a specifier, and goes on without those with a dash.
    needed = {path for path in named if not path.startswith(("%", "-"))}
    [(owner, group, made)] = re.findall(r"^install -d -o (\S+) -g (\S+) -m 0750 (.+)$", steps, re.MULTILINE)

    assert needed | {registry_of(unit)} <= set(made.split())
    assert (owner, group) == (settings["User"], settings["Group"])
    assert re.search(rf"^useradd .*--user-group .*\b{owner}$", steps, re.MULTILINE)


def test_a_server_without_a_registry_says_so_itself() -> None:
    """A path that is missing would end it before its first word."""
    assert service("maskdet@.service")["ReadOnlyPaths"] == f"-{registry_of('maskdet@.service')}"


def test_the_steps_make_the_champion_that_is_served(steps: str, tmp_path: Path) -> None:
    assert f"MASKDET_REGISTRY={registry_of('maskdet@.service')} " in steps
    environment = os.environ | {"MASKDET_REGISTRY": str(tmp_path / "models")}
    served = re.findall(r"--model models:(\S+)", service("maskdet@.service")["ExecStart"])
    verbs = re.findall(r"^as_maskdet maskdet (.+)$", steps, re.MULTILINE)
    assert [shlex.split(verb)[:2] for verb in verbs] == [["models", "register"], ["models", "promote"]]
    for verb in [*verbs, f"models show {served[0]}"]:
        command = [sys.executable, "-m", "maskdet", *shlex.split(verb)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
