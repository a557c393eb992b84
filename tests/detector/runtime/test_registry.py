from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from support import write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.runtime import registry
from maskdet.detector.runtime.registry import open_session, shares_cores
from maskdet.detector.runtime.session import GpuOptions
from maskdet.errors import UsageError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_tiny_bundle(tmp_path / "tiny.onnx")


@pytest.mark.parametrize("device", ["cpu", "onnx_runtime/cpu"])
def test_the_default_library_need_not_be_named(bundle: Path, device: str) -> None:
    boxes, scores = open_session(bundle.read_bytes(), threads=1, device=device).run(
        np.zeros((1, *load_bundle(bundle).meta.input_size, 3), np.uint8)
    )
    assert (len(boxes), len(scores)) == (1, 1)


def test_an_unknown_library_is_named_with_those_there_are(bundle: Path) -> None:
    with pytest.raises(UsageError, match=r"no runtime 'tensorflow'.*\n.*onnx_runtime"):
        open_session(bundle.read_bytes(), device="tensorflow/cpu")


def test_a_further_library_is_one_module_and_its_name(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that runs a bundle goes through the registry, so a detector takes the new library up."""
    asked: list[tuple[int, str]] = []

    class Silent:
        def run(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.zeros((len(batch), 1, 4), np.float32), np.zeros((len(batch), 1, 3), np.float32)

    def silent(model: bytes, *, threads: int, device: str, gpu: GpuOptions) -> Silent:
        asked.append((threads, device))
        return Silent()

    module = ModuleType("maskdet.detector.runtime.silent")
    module.open_session = silent  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(registry, "RUNTIMES", (*registry.RUNTIMES, "silent"))

    found = Detector(load_bundle(bundle), threads=3, device="silent/gpu:1").detect(
        np.zeros((40, 40, 3), np.uint8)
    )
    assert (len(found), asked) == (0, [(3, "gpu:1")])


@pytest.mark.parametrize(
    ("device", "shares"), [("cpu", True), ("openvino/cpu", True), ("gpu", False), ("openvino/gpu:1", False)]
)
def test_which_devices_share_the_cores(device: str, shares: bool) -> None:
    assert shares_cores(device) is shares
