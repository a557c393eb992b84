from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from maskdet.cli.app import app
from maskdet.pipeline.doctor.drawing import draw_data_set

HEAVY = {
    "PIL",
    "cv2",
    "fastapi",
    "lxml",
    "matplotlib",
    "numpy",
    "onnxruntime",
    "paddle",
    "ppdet",
}
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a drawn data set in faces/ and a pipeline.yml for it."""
    draw_data_set(tmp_path / "faces", 8)
    (tmp_path / "pipeline.yml").write_text("name: demo\ndata: {root: faces}\ntrain: {batch_size: 2}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def maskdet() -> Command:
    """The command in a process of its own, as a user calls it."""

    def call(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maskdet", *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            **options,
        )

    return call


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """The command in this process: quick, and errors are raised as they are."""

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(app, list(arguments))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def heavy_after() -> Callable[..., set[str]]:
    """The slow packages that a command imports."""

    def modules(*arguments: str) -> set[str]:
        code = (
            "import sys\nfrom maskdet.cli.app import app\n"
            "try: app(sys.argv[1:])\n"
            "finally: print('modules', *sorted({name.partition('.')[0] for name in sys.modules}))"
        )
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return HEAVY & set(done.stdout.rpartition("modules ")[2].split())

    return modules
