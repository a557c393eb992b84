from __future__ import annotations

from pathlib import Path

import pytest
from support import write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.detector.detector import Detector


@pytest.fixture(scope="session")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    path = write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")
    return Detector(load_bundle(path), threads=1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
