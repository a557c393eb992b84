"""The shell script behind make: which interpreter it takes, and what it says when none fits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "cat")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the script in a project of its own, so that this one's .venv is left alone."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(REPOSITORY / "scripts" / "set_up.sh", tmp_path / "scripts")
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def add_interpreter(project: Path, name: str, fits: int = 0, has_venv: int = 0) -> None:
    """An interpreter that only answers the script's questions; making a venv with it fails with 7."""
    script = project / "bin" / name
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"*sys.version_info*) exit {fits} ;;\n"
        f"*ensurepip*) exit {has_venv} ;;\n"
        f"--version) echo 'Python named {name}' ;;\n"
        "*) exit 7 ;;\n"
        "esac\n"
    )
    script.chmod(0o755)


def set_up(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "scripts" / "set_up.sh"],
        env={"PATH": str(project / "bin"), **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_interpreter_that_does_not_run_is_passed_over(project: Path) -> None:
    add_interpreter(project, "python3.12", fits=127)
    add_interpreter(project, "python3.11", has_venv=1)
    add_interpreter(project, "python3.10")
    done = set_up(project)
    assert "making .venv with Python named python3.10" in done.stdout
    assert done.returncode == 7


def test_python_names_the_interpreter(project: Path) -> None:
    add_interpreter(project, "python3.12")
    add_interpreter(project, "mine")
    assert "making .venv with Python named mine" in set_up(project, PYTHON="mine").stdout


@pytest.mark.parametrize(
    ("fits", "has_venv", "variables", "message"),
    [
        (1, 0, {}, "no Python 3.10 to 3.12 found"),
        (1, 0, {"PYTHON": "python3"}, "PYTHON=python3 is not a working Python 3.10 to 3.12"),
        (0, 1, {}, "python3 has no venv module"),
    ],
)
def test_it_says_what_is_missing(
    project: Path, fits: int, has_venv: int, variables: dict[str, str], message: str
) -> None:
    add_interpreter(project, "python3", fits, has_venv)
    done = set_up(project, **variables)
    assert done.returncode == 1
    assert message in done.stderr
    assert "next: " in done.stderr
