from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.detector.bundle import load_bundle
from maskdet.errors import BundleError
from maskdet.export.inspection import inspect_file
from maskdet.export.wrapping.sources import foreign_model

_ZIP = b"PK\x03\x04"


@pytest.mark.parametrize("read", [load_bundle, inspect_file, foreign_model])
@pytest.mark.parametrize(
    ("name", "content", "way"),
    [
        ("best.pt", _ZIP, "yolo export model="),
        ("best.PTH", b"\x80\x02", "yolo export model="),
        ("renamed.onnx", _ZIP, "yolo export model="),
        ("best.pdparams", b"\x80\x02", "model.pretrained"),
        ("last.safetensors", b"\x08", "model.pretrained"),
        ("model.pdiparams", b"\0\0", "maskdet bundle FOLDER"),
    ],
)
def test_a_file_of_another_format_is_told_with_the_way_to_a_bundle(tmp_path: Path, read, name, content, way):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not an ONNX model") as caught:
        read(path)
    assert caught.value.what.startswith(str(path))
    assert way in caught.value.hint
    assert "ONNXRuntimeError" not in str(caught.value)


def test_the_file_is_quoted_in_the_command(tmp_path: Path):
    path = tmp_path / "our best.pt"
    path.write_bytes(_ZIP)
    with pytest.raises(BundleError) as caught:
        load_bundle(path)
    assert f"`yolo export model='{path}' format=onnx`" in caught.value.hint


@pytest.mark.parametrize("read", [load_bundle, inspect_file])
def test_the_program_of_a_paddle_export_is_wrapped_with_its_folder(tmp_path: Path, read):
    path = tmp_path / "model.pdmodel"
    path.write_bytes(b"\x0a\x00")
    with pytest.raises(BundleError, match="half of an export") as caught:
        read(path)
    assert "maskdet bundle FOLDER" in caught.value.hint
    assert foreign_model(path).model == path
