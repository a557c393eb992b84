"""The `tracking` section: addresses, relative files, and what happens where no tracker is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest

from maskdet.errors import EnvironmentProblem, PipelineFileError
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.load import load_pipeline
from maskdet.tracking.registry import TRACKERS, require_packages
from maskdet.tracking.settings import TrackingSettings

ROOM = Path(__file__).resolve().parents[2] / "maskdet" / "tracking"
HIDDEN = ("mlflow", "ray")


def write_pipeline(folder: Path, address: str) -> Path:
    file = folder / "pipeline.yml"
    file.write_text(f"name: tiny\ndata: {{root: data}}\ntracking: {{mlflow: '{address}'}}\n")
    return file


def test_every_tracker_is_a_key_and_a_module():
    assert set(TRACKERS) == set(TrackingSettings.model_fields)
    modules = {file.stem for file in ROOM.glob("*.py") if "TRACKER = " in file.read_text()}
    assert modules == set(TRACKERS)


def test_a_relative_database_lies_beside_the_pipeline_file(tmp_path):
    loaded = load_pipeline(write_pipeline(tmp_path, "sqlite:///track/mlflow.db"))
    assert loaded.tracking.mlflow == f"sqlite:///{tmp_path / 'track' / 'mlflow.db'}"
    absolute = load_pipeline(write_pipeline(tmp_path, "sqlite:////srv/mlflow.db"))
    assert absolute.tracking.mlflow == "sqlite:////srv/mlflow.db"
    assert load_pipeline(write_pipeline(tmp_path, "http://10.0.0.5:5000")).tracking.mlflow


@pytest.mark.parametrize("address", ["mlflow.db", "ftp://host", "sqlite://", "sqlite:///", "http://"])
def test_other_addresses_are_refused(tmp_path, address):
    with pytest.raises(PipelineFileError, match=r"tracking\.mlflow.*sqlite:///FILE"):
        load_pipeline(write_pipeline(tmp_path, address))


def test_a_password_does_not_belong_into_the_file(tmp_path):
    with pytest.raises(PipelineFileError, match="MLFLOW_TRACKING_PASSWORD"):
        load_pipeline(write_pipeline(tmp_path, "https://me:secret@host"))


class WithoutExtras(PathFinder):
    """Finds everything but the optional packages."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Any:
        return None if name.partition(".")[0] in HIDDEN else super().find_spec(name, path, target)


def hide_extras() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in HIDDEN]:
        del sys.modules[name]
    sys.meta_path[:] = [WithoutExtras if finder is PathFinder else finder for finder in sys.meta_path]


def test_a_tracker_that_is_not_installed_is_said_with_the_line_that_installs_it(monkeypatch):
    finders = [WithoutExtras if finder is PathFinder else finder for finder in sys.meta_path]
    monkeypatch.setattr(sys, "meta_path", finders)
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    with pytest.raises(EnvironmentProblem) as caught:
        require_packages(TrackingSettings(mlflow="http://127.0.0.1:5000"))
    assert 'pip install "maskdet[mlflow]"' in caught.value.hint
    require_packages(TrackingSettings())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "pipeline.yml", "--to", "config"], 6, 'pip install "maskdet[mlflow]"'),
        (["run", "pipeline.yml", "--to", "config", "--set", "tracking.mlflow=null"], 0, "report:"),
    ],
)
def test_the_command_line_without_the_extras(tmp_path, arguments, code, said):
    draw_data_set(tmp_path / "data", 24)
    write_pipeline(tmp_path, "sqlite:///mlflow.db")
    start = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_settings as own; "
        f"own.hide_extras(); from maskdet.cli.app import main; sys.argv[1:] = {arguments!r}; main()"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-c", start],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert (tmp_path / "runs").exists() is (code == 0)
