"""`maskdet data audit` from the command line."""

from __future__ import annotations

import json

import pytest
from audited import write_planted_set
from inbox_pictures import date_back, proposal
from support import write_tiny_bundle

from maskdet.errors import DatasetError, UsageError
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.refusals import InboxFull


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
    shown = invoke("data", "audit", "--model", "tiny.onnx", "--to-inbox", "inbox").output
    assert "proposed 3 pictures for review in inbox" in shown
    assert (
        "proposed 0 pictures" in invoke("data", "audit", "--model", "tiny.onnx", "--to-inbox", "inbox").output
    )
    records = [json.loads(path.read_text()) for path in (tmp_path / "inbox" / "records").iterdir()]
    assert [(record["state"], record["why"]) for record in records] == [("proposal", "label-audit")] * 3
    assert {record["about"].partition(":")[0] for record in records} == {"missing", "swapped", "misplaced"}
    assert all([face["disputed"] for face in record["proposed"]] == [True] for record in records)
    assert not list((tmp_path / "inbox" / "JPEGImages").iterdir())
    with pytest.raises(UsageError, match="holds other files"):
        invoke("data", "audit", "--model", "tiny.onnx", "--out", "faces")
    assert len(list((tmp_path / "faces" / "JPEGImages").iterdir())) == 30
    with pytest.raises(UsageError, match="no such model"):
        invoke("data", "audit", "--model", "missing.onnx")


def test_the_inbox_keeps_what_serve_capture_keeps(tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    write_planted_set(tmp_path / "faces")
    write_tiny_bundle(tmp_path / "tiny.onnx")
    pipeline = tmp_path / "pipeline.yml"
    pipeline.write_text(
        "name: demo\ndata: {root: faces}\nserve: {capture: {max_days: 99, max_pictures: 4}}\n"
    )
    inbox = Inbox(tmp_path / "inbox")
    old, fresh = (inbox.propose(proposal(seed)).name for seed in (1, 2))
    for name, days in ((old, 31), (fresh, 3)):
        date_back(tmp_path / "inbox", name, days=days)
    with pytest.raises(InboxFull, match="4 pictures"):
        invoke("data", "audit", "--model", "tiny.onnx", "--to-inbox", "inbox")
    assert {old, fresh} < {record.name for record in inbox.records()}


def test_missing_labels_of_train_are_noted_and_train_as_no_background(tmp_path, monkeypatch, invoke):
    monkeypatch.chdir(tmp_path)
    write_planted_set(tmp_path / "faces")
    write_tiny_bundle(tmp_path / "tiny.onnx")
    pipeline = tmp_path / "pipeline.yml"
    pipeline.write_text("name: demo\ndata: {root: faces, split: {ratio: 29:1}}\n")
    command = ("data", "audit", "--model", "tiny.onnx", "--unlabelled", "lacking.json")
    assert "added 1 faces to lacking.json" in invoke(*command).output
    assert "added 0 faces to lacking.json" in invoke(*command).output
    pipeline.write_text("name: demo\ndata: {root: faces, split: {ratio: 29:1}, unlabelled: lacking.json}\n")
    shown = invoke("prepare").output
    assert "27 train, 3 val, 1 faces without a label" in shown
    assert "Faces without a label: 1" in (tmp_path / "runs/demo/prepare/report.md").read_text()
    # What is noted is not asked again, and is kept.
    shown = invoke(*command).output
    assert "missing 0" in shown
    assert "added 0 faces" in shown
    (tmp_path / "lacking.json").write_text("{")
    with pytest.raises(DatasetError, match="damaged"):
        invoke("prepare")
