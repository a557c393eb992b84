"""A registry with three versions, made from one tiny bundle whose comment differs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import write_tiny_bundle

from maskdet.registry.registry import Registry

Bundle = Callable[[int], Path]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_tiny_bundle(
        tmp_path_factory.mktemp("tiny") / "tiny.onnx", metrics={"ap50": 0.9}
    ).read_bytes()


@pytest.fixture
def bundle(tiny: bytes, tmp_path: Path) -> Bundle:
    """Bundles by number: the same model with another comment, field 6 of the file's message."""

    def write(number: int) -> Path:
        path = tmp_path / f"bundle-{number}.onnx"
        path.write_bytes(tiny + bytes([0x32, 1, 0x30 + number]))
        return path

    return write


@pytest.fixture
def registry(bundle: Bundle, tmp_path: Path) -> Registry:
    found = Registry(tmp_path / "models")
    for number in range(1, 4):
        found.register("face-mask", bundle(number), by="maker")
    return found
