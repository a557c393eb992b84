from __future__ import annotations

from pathlib import Path

import pytest
from support import write_tiny_bundle

from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.detector import Detector


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx"))


@pytest.fixture(scope="session")
def detector(bundle: Bundle) -> Detector:
    return Detector(bundle, threads=1)


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("model") / "tiny.onnx")
