"""Which model a user names, told from the names of files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.errors import ExportError
from maskdet.export.wrapping.infer_config import INFER_CONFIG
from maskdet.export.wrapping.sources import foreign_model, is_foreign_folder


def test_the_suffix_of_an_onnx_file_may_be_in_upper_case(tmp_path: Path) -> None:
    path = tmp_path / "m.ONNX"
    path.write_bytes(b"")
    (tmp_path / INFER_CONFIG).touch()
    assert foreign_model(path).is_onnx
    assert foreign_model(tmp_path).model == path
    assert is_foreign_folder(tmp_path)


def test_a_program_of_paddle_1_is_no_exported_picodet(tmp_path: Path) -> None:
    for name in ("__model__", "__params__", INFER_CONFIG):
        (tmp_path / name).touch()
    assert not is_foreign_folder(tmp_path)
    with pytest.raises(ExportError, match="holds no exported model") as caught:
        foreign_model(tmp_path)
    assert "model.json or model.pdmodel" in caught.value.hint
