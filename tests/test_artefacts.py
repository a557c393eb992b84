"""A stage's JSON file: what it holds, or which file is at fault and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.artefacts import document_if_any, read_document
from maskdet.errors import StageError


def test_a_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text('{"ap50": 0.9}')
    assert read_document(path, "maskdet eval") == document_if_any(path, "maskdet eval") == {"ap50": 0.9}


def test_a_missing_file_is_named_with_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"metrics\.json is missing") as told:
        read_document(tmp_path / "metrics.json", "maskdet eval")
    assert told.value.hint == "run `maskdet eval` first"
    assert document_if_any(tmp_path / "metrics.json", "maskdet eval --force") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\udcff"])
def test_a_damaged_file_is_named_with_the_command_that_writes_it_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(StageError, match=r"metrics\.json is damaged") as told:
        read_document(path, "maskdet eval")
    assert told.value.hint == "run `maskdet eval --force`"
    with pytest.raises(StageError, match=r"metrics\.json is damaged") as told:
        document_if_any(path, "maskdet gates")
    assert told.value.hint == "run `maskdet gates`"
