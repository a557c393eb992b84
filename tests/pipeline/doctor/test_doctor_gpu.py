"""The doctor on machines with a GPU, of which only the reports are made up: what it finds and advises."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reported_cuda import report_cuda

from maskdet.errors import EnvironmentProblem, TrainingError
from maskdet.pipeline.doctor import devices
from maskdet.pipeline.doctor import driver as driver_module
from maskdet.pipeline.doctor.devices import check_devices
from maskdet.pipeline.doctor.diagnosis import Diagnosis
from maskdet.pipeline.doctor.driver import Driver, read_driver
from maskdet.pipeline.doctor.installs import TOO_OLD, onnxruntime_lines, paddle_lines
from maskdet.pipeline.doctor.lock import lock_path, pinned_versions
from maskdet.pipeline.doctor.packages import clashes, compare_versions
from maskdet.training.launch import placement

SMI = """<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
	<driver_version>550.54.14</driver_version>
	<cuda_version>12.4</cuda_version>
	<attached_gpus>2</attached_gpus>
	<gpu id="00000000:00:1E.0"><product_name>Tesla T4</product_name></gpu>
	<gpu id="00000000:00:1F.0"><product_name>Tesla T4</product_name></gpu>
</nvidia_smi_log>
"""
T4 = Driver((12, 4), "550.54.14", ("Tesla T4", "Tesla T4"))
PADDLE = {"version": "3.2.2", "cuda": "", "cudnn": "", "gpus": [], "tried": ["cpu"], "details": []}
PADDLE_GPU = {
    **PADDLE,
    "cuda": "12.6",
    "cudnn": "9.5.1",
    "gpus": ["Tesla T4"],
    "tried": ["gpu:0"],
    "details": [{"memory_mb": 15360, "capability": "7.5"}],
}


def tool(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A program nvidia-smi, alone on the path with what it needs."""
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_the_driver_is_read_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "said.xml").write_text(SMI)
    tool(tmp_path, monkeypatch, f'[ "$*" = "-q -x" ] && cat "{tmp_path}/said.xml"')
    assert read_driver() == T4
    assert str(T4) == "NVIDIA driver 550.54.14, CUDA up to 12.4"


@pytest.mark.parametrize("body", ["exit 9", "echo NVIDIA-SMI has failed", "sleep 5"])
def test_a_driver_that_does_not_answer_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(driver_module, "_SECONDS", 0.3)
    monkeypatch.setattr(ctypes, "CDLL", missing_library)
    tool(tmp_path, monkeypatch, body)
    assert read_driver() is None


def missing_library(name: str) -> None:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize(("number", "found"), [(13000, Driver((13, 0))), (11080, Driver((11, 8))), (0, None)])
def test_a_container_without_the_tool_has_the_library(
    monkeypatch: pytest.MonkeyPatch, number: int, found: Driver | None
) -> None:
    monkeypatch.setenv("PATH", "")

    def version(pointer: Any) -> int:
        pointer._obj.value = number
        return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(cuDriverGetVersion=version))
    assert read_driver() == found


@pytest.mark.parametrize(
    ("cuda", "python", "package"),
    [
        ((13, 0), (3, 12), '"onnxruntime-gpu[cuda,cudnn]"'),
        ((12, 4), (3, 12), '"onnxruntime-gpu[cuda,cudnn]<1.27"'),
        ((13, 0), (3, 10), '"onnxruntime-gpu[cuda,cudnn]==1.23.2"'),
        ((12, 4), (3, 10), '"onnxruntime-gpu[cuda,cudnn]==1.23.2"'),
    ],
)
def test_the_line_for_onnx_runtime(cuda: Any, python: Any, package: str) -> None:
    assert onnxruntime_lines(Driver(cuda), python) == (
        f"pip uninstall -y onnxruntime onnxruntime-gpu, then pip install {package}"
    )


@pytest.mark.parametrize(
    ("cuda", "build"), [((13, 0), "12.9"), ((12, 9), "12.9"), ((12, 8), "12.6"), ((12, 4), "11.8")]
)
def test_the_line_for_paddle(cuda: Any, build: str) -> None:
    assert f"gives INDEX for CUDA {build}" in paddle_lines(Driver(cuda))
    assert f"paddlepaddle-gpu=={pinned_versions(lock_path())['paddlepaddle']} " in paddle_lines(Driver(cuda))


def test_an_old_driver_comes_first() -> None:
    assert onnxruntime_lines(Driver((11, 8))) == TOO_OLD
    assert paddle_lines(Driver((11, 4))) == TOO_OLD


def test_gpu_builds_count_as_what_they_replace() -> None:
    tested = {"paddlepaddle": "3.2.2", "onnxruntime": "1.31.1"}
    built = {"paddlepaddle-gpu": "3.2.2", "onnxruntime-gpu": "1.26.0"}
    [diagnosis] = compare_versions(tested, built, "pip")
    assert (diagnosis.health, diagnosis.text) == (
        "note",
        "packages: untested: onnxruntime 1.26.0 (tested 1.31.1)".removeprefix("packages: "),
    )
    [grave] = compare_versions({"paddlepaddle": "3.2.2"}, {"paddlepaddle-gpu": "3.3.1"}, "pip")
    assert grave.health == "fault"


@pytest.mark.parametrize(
    ("installed", "driver", "advice"),
    [
        (("onnxruntime", "onnxruntime-gpu"), T4, onnxruntime_lines(T4)),
        (("onnxruntime", "onnxruntime-gpu"), None, "pip install --no-deps onnxruntime==1"),
        (("paddlepaddle", "paddlepaddle-gpu"), T4, paddle_lines(T4)),
        (("nvidia-cudnn-cu12", "nvidia-cudnn-cu13"), T4, "train.python"),
    ],
)
def test_packages_that_overwrite_each_other(
    installed: tuple[str, ...], driver: Driver | None, advice: str
) -> None:
    [diagnosis] = clashes(dict.fromkeys(installed, "1"), driver)
    assert diagnosis.health == "fault"
    assert "overwrite each other's files" in diagnosis.text
    assert advice in diagnosis.hint


def checked(
    monkeypatch: pytest.MonkeyPatch, driver: Driver | None, paddle: Any, *packages: str
) -> list[Diagnosis]:
    """The checks where a worker reports `paddle`, and of ONNX Runtime these packages are installed."""

    def trial(python: Path) -> Any:
        if isinstance(paddle, Exception):
            raise paddle
        return paddle

    monkeypatch.setattr(placement, "trial", trial)
    monkeypatch.setattr(devices, "installed_versions", lambda: dict.fromkeys(packages, "1"))
    return list(check_devices(Path(sys.executable), driver))


def test_without_a_driver_all_is_well_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(monkeypatch, None, PADDLE, "onnxruntime")
    assert [one.health for one in found] == ["ok", "ok"]
    assert found[0].text == "3.2.2, built for CPU only: computes on the CPU"
    assert found[1].text.startswith("onnxruntime 1.")


def test_cpu_builds_on_a_gpu_machine_are_noted_with_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, paddle, runtime = checked(monkeypatch, T4, PADDLE, "onnxruntime")
    assert gpu.text == "NVIDIA driver 550.54.14, CUDA up to 12.4: Tesla T4, Tesla T4"
    assert (paddle.health, runtime.health) == ("note", "note")
    assert paddle_lines(T4) in paddle.hint
    assert onnxruntime_lines(T4) in runtime.hint


def test_gpu_builds_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = report_cuda(monkeypatch).opened
    _, paddle, runtime = checked(monkeypatch, T4, PADDLE_GPU, "onnxruntime-gpu")
    assert paddle.text == "3.2.2, built for CUDA 12.6 and cuDNN 9.5.1: computes on Tesla T4 (15 GiB, 7.5)"
    assert runtime.health == "ok"
    assert "CUDA and cuDNN compute" in runtime.text
    assert [providers[0][0] for providers in asked] == ["CPUExecutionProvider", "CUDAExecutionProvider"]


def test_a_wrong_answer_of_the_gpu_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    session = report_cuda(monkeypatch)
    real = session.run

    def wrong(self: Any, *arguments: Any) -> Any:
        boxes, scores = real(self, *arguments)
        return boxes, scores * (0.5 if "CUDA" in self.get_providers()[0] else 1)

    monkeypatch.setattr(session, "run", wrong)
    runtime = checked(monkeypatch, T4, PADDLE_GPU, "onnxruntime-gpu")[-1]
    assert runtime.health == "fault"
    assert "differ from the CPU's" in runtime.text


def test_a_gpu_build_that_falls_back_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    session = report_cuda(monkeypatch)
    monkeypatch.setattr(session, "get_providers", lambda self: ["CPUExecutionProvider"])
    runtime = checked(monkeypatch, T4, PADDLE_GPU, "onnxruntime-gpu")[-1]
    assert (runtime.health, runtime.hint) == ("fault", onnxruntime_lines(T4))
    assert "runs on CPUExecutionProvider" in runtime.text


def test_both_packages_of_onnx_runtime_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(monkeypatch, T4, PADDLE_GPU, "onnxruntime", "onnxruntime-gpu")
    assert [one.subject for one in found] == ["GPU", "Paddle"]


def test_a_gpu_build_of_paddle_that_sees_none_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    paddle = checked(monkeypatch, T4, {**PADDLE_GPU, "gpus": [], "details": []}, "onnxruntime")[1]
    assert paddle.health == "fault"
    assert "it sees no GPU" in paddle.text
    assert "CUDA_VISIBLE_DEVICES" in paddle.hint


def test_a_device_that_computes_wrongly_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = EnvironmentProblem("Paddle computes wrongly on gpu:1", "install the build")
    paddle = checked(monkeypatch, T4, wrong, "onnxruntime")[1]
    assert (paddle.health, paddle.text, paddle.hint) == ("fault", wrong.what, wrong.hint)


def test_paddle_computes_in_a_real_worker(workers_import_maskdet: None) -> None:
    found = placement.trial(Path(sys.executable))
    assert (found["tried"], found["cuda"], found["gpus"]) == (["cpu"], "", [])
    with pytest.raises(TrainingError):
        placement._asked("trial", {"devices": ["gpu:0"]}, Path(sys.executable))
