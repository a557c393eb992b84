"""The doctor: the lock it reads, what it says of versions, and the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from maskdet.dataset.prepare import prepare
from maskdet.dataset.settings import DataSettings
from maskdet.errors import EnvironmentProblem
from maskdet.pipeline.doctor import lock as lock_module
from maskdet.pipeline.doctor.drawing import LABELS, draw_data_set
from maskdet.pipeline.doctor.lock import lock_path, pinned_versions
from maskdet.pipeline.doctor.machine import _writable as writable
from maskdet.pipeline.doctor.packages import compare_versions, installed_versions

INSTALL = "pip install --no-deps -r lock.txt"
TESTED = {"numpy": "2.2.6", "rich": "15.0.0", "paddledet": "2.6.0"}


def test_the_lock_is_read_for_this_python(tmp_path):
    lock = tmp_path / "train.txt"
    lock.write_text(
        "# comment\n"
        "numpy==2.2.6 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def\n"
        "Typing_Extensions==4.16.0\n"
        "future==1 ; python_full_version >= '3.99' \\\n    --hash=sha256:abc\n"
        "present==2 ; python_full_version >= '3.8'\n"
    )
    assert pinned_versions(lock) == {"numpy": "2.2.6", "typing-extensions": "4.16.0", "present": "2"}


def test_the_shipped_lock_has_what_training_needs():
    tested = pinned_versions(lock_path())
    assert {"paddlepaddle", "paddledet", "paddle2onnx", "onnx", "numpy", "onnxruntime"} <= tested.keys()


def test_a_missing_lock_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(lock_module.maskdet, "__file__", str(tmp_path / "maskdet" / "__init__.py"))
    with pytest.raises(EnvironmentProblem, match="lock is missing"):
        lock_path()


@pytest.mark.parametrize(
    ("installed", "health", "words"),
    [
        (TESTED, ["ok"], ["all 3 in their tested versions"]),
        ({**TESTED, "other": "1"}, ["ok"], ["all 3"]),
        ({"numpy": "2.2.6", "rich": "15.0.0"}, ["fault"], ["missing: paddledet"]),
        ({**TESTED, "numpy": "2.5.0"}, ["fault"], ["numpy 2.5.0 (tested 2.2.6)"]),
        ({**TESTED, "rich": "13.0"}, ["note"], ["untested: rich 13.0 (tested 15.0.0)"]),
        ({"numpy": "1", "rich": "1"}, ["fault", "fault", "note"], ["paddledet", "numpy 1", "rich 1"]),
    ],
)
def test_versions(installed, health, words):
    diagnoses = list(compare_versions(TESTED, installed, INSTALL))
    assert [diagnosis.health for diagnosis in diagnoses] == health
    assert all(word in diagnosis.text for word, diagnosis in zip(words, diagnoses, strict=True))
    assert all(INSTALL in diagnosis.hint for diagnosis in diagnoses if diagnosis.health != "ok")


def test_many_packages_are_counted_not_listed():
    tested = {f"package{number:02d}": "1" for number in range(40)}
    [diagnosis] = compare_versions(tested, {}, INSTALL)
    assert diagnosis.text.endswith("package11 and 28 more")


def test_installed_versions_are_found():
    assert installed_versions()["pydantic"].startswith("2.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path):
    tmp_path.chmod(0o500)
    assert writable(tmp_path / "runs").health == "fault"


def test_results_go_into_a_folder_yet_to_be_made(tmp_path):
    assert writable(tmp_path / "deep" / "runs").health == "ok"
    assert list(tmp_path.iterdir()) == []


def test_the_drawn_set_passes_prepare_without_a_notice(tmp_path):
    draw_data_set(tmp_path / "set", 16)
    out = tmp_path / "out"
    out.mkdir()
    summary = prepare(DataSettings(root=tmp_path / "set"), out, input_size=(320, 320))
    assert summary.objects == dict.fromkeys(LABELS, 8)
    assert summary.findings == ()
    with Image.open(tmp_path / "set" / "JPEGImages" / "face000.jpg") as picture:
        assert picture.getpixel((5 + 24, 5 + 40))[2] > 150, "the mask is blue"


def doctor(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "maskdet", "doctor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=500)


def test_the_lock_option_prints_only_a_path(tmp_path):
    assert Path(doctor("--lock", cwd=tmp_path).stdout.rstrip("\n")).is_file()


def test_a_python_without_paddle_is_a_fault(tmp_path):
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (tmp_path / "python").chmod(0o755)
    done = doctor("--python", str(tmp_path / "python"), cwd=tmp_path)
    assert done.returncode == 6
    assert "fault  Paddle:" in done.stdout
    assert "error:" in done.stderr


def test_a_machine_that_only_serves_needs_no_paddle(tmp_path):
    """Its versions are noted, and none is a fault."""
    done = doctor("--serve", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Paddle" not in done.stdout
    assert "ONNX Runtime" in done.stdout
    tested, other = {"numpy": "2.2.6"}, {"numpy": "2.5.2"}
    [found] = compare_versions(tested, other, "pip install", exact=frozenset())
    assert found.health == "note"
    mixed = doctor("--serve", "--deep", cwd=tmp_path)
    assert (mixed.returncode, "leave out one of them" in mixed.stderr) == (2, True)


@pytest.mark.slow
def test_deep_runs_the_whole_chain(tmp_path):
    done = doctor("--deep", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("all checks passed")
    for stage in ("prepare", "config", "train", "eval", "export", "predict"):
        assert f"ok     {stage}:" in done.stdout
    assert list(tmp_path.iterdir()) == []
