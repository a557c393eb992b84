"""The units: does systemd accept them, and what could a server do that was taken over?"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
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


def test_the_server_has_time_to_answer_what_it_accepted() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.read(UNITS / "maskdet@.service")
    least = 2 * ServeSettings().drain_seconds + GRACE_SECONDS
    assert int(unit["Service"]["TimeoutStopSec"]) >= least
