from __future__ import annotations

from pathlib import Path

import pytest
from media import save
from support import paint, write_tiny_bundle

import maskdet


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture(scope="session")
def detector(tiny: Path) -> maskdet.MaskDetector:
    return maskdet.load(tiny)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(here: Path) -> Path:
    """photo.png in the current directory: a masked face and a bare one."""
    return save(here / "photo.png", paint({(1, 1): "with_mask", (5, 5): "without_mask"}, 128, 192))
