"""`maskdet data audit` from the command line."""

from __future__ import annotations

import json

import pytest
from audited import write_planted_set
from support import write_tiny_bundle

from maskdet.errors import UsageError


def test_help_imports_nothing_heavy(heavy_after):
    assert not heavy_after("data", "audit", "--help")


def test_planted_errors_are_listed_and_drawn(tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    write_planted_set(tmp_path / "faces")
    write_tiny_bundle(tmp_path / "tiny.onnx")
    (tmp_path / "pipeline.yml").write_text("name: demo\ndata: {root: faces}\n")
    shown = invoke("data", "audit", "--model", "tiny.onnx").output
    assert "tiny (" in shown
    assert "against 29 labels in 30 pictures: missing 1, swapped 1, misplaced 1" in shown
    told = json.loads((tmp_path / "runs/demo/audit-tiny/suspects.json").read_text(encoding="utf-8"))
    assert len(told["suspects"]) == 3
    page = (tmp_path / "runs/demo/audit-tiny/index.html").read_text(encoding="utf-8")
    assert "../../../faces/JPEGImages/a%3Cb%3E%2003.png" in page
    assert (
        "missing 0" in invoke("data", "audit", "--model", "tiny.onnx", "--part", "val", "--out", "o").output
    )
    assert (tmp_path / "o" / "index.html").is_file()
    with pytest.raises(UsageError, match="no such model"):
        invoke("data", "audit", "--model", "missing.onnx")
