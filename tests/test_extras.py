"""Without the packages of the extras: what works all the same, and what the other commands say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from media import save
from support import paint, write_tiny_bundle
from typer.testing import CliRunner

from maskdet.cli.app import app
from maskdet.errors import EnvironmentProblem
from maskdet.extras import install_hint, require
from maskdet.pipeline.doctor.drawing import draw_data_set

Hide = Callable[..., None]
DATA = ("lxml", "matplotlib")


@pytest.fixture
def hide(monkeypatch: pytest.MonkeyPatch) -> Hide:
    """Makes installed modules seem missing."""
    return lambda *modules: [monkeypatch.setitem(sys.modules, name, None) for name in modules] and None


def test_the_first_missing_module_is_named_with_the_line_that_installs_it(hide: Hide) -> None:
    require("data", *DATA, asks="prepare needs")
    hide("matplotlib")
    with pytest.raises(EnvironmentProblem) as caught:
        require("data", *DATA, asks="prepare needs", otherwise="leave it out")
    assert caught.value.what == "prepare needs matplotlib, which is not installed"
    assert caught.value.hint == '`pip install "maskdet[data]"`, or leave it out'
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    ("arguments", "missing", "asks"),
    [
        (["init", "faces", "--out", "x.yml"], "lxml", "init needs"),
        (["data", "convert", "faces", "coco", "--to", "coco"], "lxml", "data convert needs"),
        (["run", "pipeline.yml", "--to", "prepare"], "lxml", "prepare needs"),
        (["prepare"], "matplotlib", "prepare needs"),
    ],
)
def test_a_command_says_what_it_needs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hide: Hide,
    arguments: list[str],
    missing: str,
    asks: str,
) -> None:
    draw_data_set(tmp_path / "faces", 4)
    (tmp_path / "pipeline.yml").write_text("name: demo\ndata: {root: faces}\n")
    monkeypatch.chdir(tmp_path)
    hide(missing)
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, EnvironmentProblem), done.output
    assert done.exception.what == f"{asks} {missing}, which is not installed"
    assert done.exception.hint.startswith(install_hint("data"))
    assert not (tmp_path / "x.yml").exists()
    assert not (tmp_path / "coco").exists()


ALONE = f"""
import sys
sys.modules.update(dict.fromkeys({(*DATA, "onnx", "paddle", "ray", "mlflow")}))
import maskdet
from maskdet.cli.app import main
from maskdet.serving.process import worker  # what a server loads
print(len(maskdet.load("tiny.onnx")("photo.png")))
sys.argv[1:] = ["predict", "photo.png", "--model", "tiny.onnx", "--format", "voc", "--out", "answers"]
main()
"""


def test_predicting_and_serving_need_no_extra(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "tiny.onnx")
    save(tmp_path / "photo.png", paint({(1, 2): "with_mask"}))
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1\n")
    assert "<name>with_mask</name>" in (tmp_path / "answers/voc/Annotations/photo.xml").read_text()
