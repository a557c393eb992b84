"""CUDA_VISIBLE_DEVICES on its way to workers, alone and under Paddle's launcher. None of it needs a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from trained import REPO

from maskdet.errors import TrainingError
from maskdet.training.launch import placement
from maskdet.training.launch.gpus import VARIABLE, chosen, visible
from maskdet.training.launch.placement import probe, worker_command
from maskdet.training.launch.process import WorkerCommand, run_worker
from maskdet.training.settings import TrainSettings

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def workers_import_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{REPO}:{HERE}")
    monkeypatch.delenv(VARIABLE, raising=False)


def seen(folder: Path, **command: Any) -> tuple[str | None, str | None]:
    """What the first worker has: the list of GPUs, and which of that list the launcher gave it."""
    done = run_worker("small_jobs", {"do": "count", "total": 0}, folder, WorkerCommand(**command))
    return done["devices"], done["selected"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, None),
        ("", []),
        ("3", ["3"]),
        ("3, 5", ["3", "5"]),
        ("GPU-8932f937,MIG-1", ["GPU-8932f937", "MIG-1"]),
    ],
)
def test_the_users_list_is_read(given: str | None, names: list[str] | None) -> None:
    assert visible({} if given is None else {VARIABLE: given}) == names


@pytest.mark.parametrize(
    ("devices", "given", "passed"),
    [
        ("0", None, "0"),
        ("0,1", None, "0,1"),
        ("0", "3", "3"),
        ("1", "3,GPU-8932f937", "GPU-8932f937"),
        ("0,2", "7, 5 ,3", "7,3"),
    ],
)
def test_numbers_count_within_the_users_list(devices: str, given: str | None, passed: str) -> None:
    variables = {} if given is None else {VARIABLE: given}
    assert chosen(devices, variables) == passed


@pytest.mark.parametrize("given", ["3", "GPU-8932f937"])
def test_a_worker_gets_the_users_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(VARIABLE, given)
    assert seen(tmp_path, devices="0") == (given, None)


def test_several_workers_share_the_chosen_of_the_users_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "3,GPU-8932f937,7")
    assert seen(tmp_path, processes=2, devices="0,2") == ("3,7", "0")


@pytest.mark.parametrize("given", [None, "", "3"])
def test_cpu_workers_are_handed_no_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    if given is not None:
        monkeypatch.setenv(VARIABLE, given)
    assert seen(tmp_path, processes=2) == (None, None)


def test_the_probe_sees_what_the_user_lets_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert probe(WorkerCommand().python)["gpus"] == []
    assert WorkerCommand().environment()[VARIABLE] == ""
    with pytest.raises(TrainingError, match=rf"sees 0 GPU\(s\) with {VARIABLE}="):
        worker_command(TrainSettings(device="gpu:0"))


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paddle reports two."""
    monkeypatch.setattr(placement, "probe", lambda python: {"gpus": ["one", "other"]})


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("device", "devices", "processes"),
    [("gpu", "0", 1), ("auto", "0", 1), ("gpu:1", "1", 1), ("gpu:1,0", "1,0", 2), ("gpu:all", "0,1", 2)],
)
def test_one_flag_takes_several_gpus(device: str, devices: str, processes: int) -> None:
    command = worker_command(TrainSettings(device=device, amp=True))
    assert (command.devices, command.processes, command.workers) == (devices, processes, processes)
    assert command.environment()[VARIABLE] == devices
    assert "PADDLE_DISTRI_BACKEND" not in command.environment(), "GPUs exchange gradients by NCCL"


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("device", "words"), [("gpu:0,0", "names a GPU twice"), ("gpu:2", "sees 2"), ("gpu:0,5", "sees 2")]
)
def test_gpus_that_cannot_be_had(device: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        worker_command(TrainSettings(device=device))


@pytest.mark.parametrize("device", ["gpu:all", "auto"])
def test_no_gpu_is_said(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    """With mixed precision also where the CPU would do."""
    monkeypatch.setattr(placement, "probe", lambda python: {"gpus": []})
    with pytest.raises(TrainingError, match="Paddle sees"):
        worker_command(TrainSettings(device=device, amp=True))


def test_mixed_precision_on_a_cpu_is_refused_with_the_pipeline_file() -> None:
    with pytest.raises(ValidationError, match=r"false where train\.device is cpu"):
        TrainSettings(device="cpu", amp=True)
