"""Proposals, decisions on them, and what reaches a training."""

from __future__ import annotations

import json
import math
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from inbox_pictures import date_back, encoded, proposal, stored
from support import LABELS

from maskdet.dataset.checking.check import check
from maskdet.dataset.reading.annotation import read_annotation
from maskdet.dataset.settings import DataSettings
from maskdet.detector.picture import decode
from maskdet.inbox.boxes import Correction
from maskdet.inbox.caps import Caps
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.limits import InboxLimits
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import Origin, ProposedFace, Record
from maskdet.inbox.refusals import BadBoxes, DecidedMeanwhile, InboxFull, UnknownPicture

ONE = [Correction("with_mask", (1, 2, 30, 40))]
WIDE = Caps(100, 100, 100)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def proposed(inbox: Inbox, seed: int = 0, **fields: Any) -> Record:
    record = inbox.propose(proposal(seed, **fields))
    assert record is not None
    return record


def audit(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


def test_proposal_lies_apart_with_its_record(inbox: Inbox, tmp_path: Path) -> None:
    origin = Origin(model="gate", bundle="0123456789ab", version="7", camera="north")

    record = proposed(inbox, origin=origin)

    assert stored(tmp_path) == [f"proposals/{record.file}"]
    kept = json.loads((tmp_path / "records" / f"{record.name}.json").read_text())
    assert (kept["state"], kept["why"], kept["revision"]) == ("proposal", "uncertain", 1)
    assert kept["origin"] == {"model": "gate", "bundle": "0123456789ab", "version": "7", "camera": "north"}
    assert [(one["label"], one["disputed"]) for one in kept["proposed"]] == [
        ("with_mask", False),
        ("without_mask", True),
    ]
    [line] = audit(tmp_path)
    assert (line["what"], line["picture"], line["why"]) == ("proposed", record.name, "uncertain")
    assert (line["bundle"], line["camera"], line["version"]) == ("0123456789ab", "north", "7")
    assert line["at"].endswith("Z")


@pytest.mark.parametrize(
    ("how", "faces", "state", "boxes"),
    [
        ("accept", None, "accepted", [(10, 20, 60, 80), (100, 90, 150, 140)]),
        ("correct", ONE, "corrected", [(1, 2, 30, 40)]),
        ("correct", [], "corrected", []),
    ],
)
def test_what_a_person_confirms_trains(
    inbox: Inbox, tmp_path: Path, how: Any, faces: Any, state: str, boxes: list[Any]
) -> None:
    record = proposed(inbox)

    decided = inbox.decide(record.name, how, revision=1, by="anna", faces=faces)

    assert (decided.state, decided.revision) == (state, 2)
    assert decided.decision is not None
    assert (decided.decision.by, decided.decision.how) == ("anna", how)
    assert stored(tmp_path) == [f"Annotations/{record.name}.xml", f"JPEGImages/{record.file}"]
    annotation = read_annotation(tmp_path / "Annotations" / f"{record.name}.xml", "x.xml").annotation
    assert annotation is not None
    assert [one.box for one in annotation.objects] == boxes
    report = check(DataSettings(root=tmp_path, labels=LABELS))
    assert [one.picture for one in report.pictures] == [f"JPEGImages/{record.file}"]
    assert audit(tmp_path)[-1]["what"] == state
    assert audit(tmp_path)[-1]["by"] == "anna"


@pytest.mark.parametrize(("how", "state"), [("skip", "skipped"), ("reject", "rejected")])
def test_what_nobody_confirms_does_not_train(inbox: Inbox, tmp_path: Path, how: Any, state: str) -> None:
    record = proposed(inbox)

    assert inbox.decide(record.name, how, revision=1, by="").state == state

    assert stored(tmp_path) == [f"proposals/{record.file}"]


@pytest.mark.parametrize("how", ["accept", "correct", "skip", "reject"])
def test_undo_restores_the_proposal(inbox: Inbox, tmp_path: Path, how: Any) -> None:
    record = proposed(inbox)
    inbox.decide(record.name, how, revision=1, by="anna", faces=ONE)

    back = inbox.undo(record.name, revision=2, by="bob")

    assert back == record.model_copy(update={"revision": 3, "undone": back.undone})
    assert stored(tmp_path) == [f"proposals/{record.file}"]
    with pytest.raises(DecidedMeanwhile):
        inbox.undo(record.name, revision=3, by="bob")


def test_second_reviewer_is_told(inbox: Inbox) -> None:
    record = proposed(inbox)
    inbox.decide(record.name, "accept", revision=1, by="anna")

    with pytest.raises(DecidedMeanwhile, match="by anna: it is accepted"):
        inbox.decide(record.name, "reject", revision=1, by="bob")
    with pytest.raises(DecidedMeanwhile):
        inbox.undo(record.name, revision=1, by="bob")

    assert inbox.record(record.name).state == "accepted"


def test_decision_may_be_changed(inbox: Inbox, tmp_path: Path) -> None:
    record = proposed(inbox)
    inbox.decide(record.name, "accept", revision=1, by="anna")
    inbox.decide(record.name, "reject", revision=2, by="anna")

    assert stored(tmp_path) == [f"proposals/{record.file}"]


@pytest.mark.parametrize("faces", [None, [Correction("with_mask", (5, 5, 5, 9))]])
def test_boxes_are_checked_before_anything_changes(inbox: Inbox, tmp_path: Path, faces: Any) -> None:
    record = proposed(inbox)

    with pytest.raises(BadBoxes):
        inbox.decide(record.name, "correct", revision=1, by="", faces=faces)

    assert inbox.record(record.name) == record
    assert stored(tmp_path) == [f"proposals/{record.file}"]


@pytest.mark.parametrize("name", ["", "0" * 16, "../../etc/passwd", "0" * 15, "\0"])
def test_unknown_names_are_said(inbox: Inbox, name: str) -> None:
    for step in (
        lambda: inbox.record(name),
        lambda: inbox.picture(name),
        lambda: inbox.undo(name, revision=1, by=""),
        lambda: inbox.decide(name, "skip", revision=1, by=""),
    ):
        with pytest.raises(UnknownPicture):
            step()


def test_boxes_that_nobody_could_accept_are_left_out(inbox: Inbox) -> None:
    data = encoded("PNG")
    boxes = [(-50, -50, 400, 30), (5, 5, 5.2, 9), (10.2, 10, 50, 50), (10.4, 10, 50, 50)]
    faces = [ProposedFace(label=LABELS[at % 2], box=box) for at, box in enumerate(boxes)]

    record = inbox.propose(Proposal(data, decode(data), faces, "audit"))

    assert record is not None
    assert [one.box for one in record.proposed] == [(0, 0, 200, 30), (10.2, 10, 50, 50)]
    assert inbox.decide(record.name, "accept", revision=1, by="").state == "accepted"


def test_blurred_faces_are_difficult(inbox: Inbox, tmp_path: Path) -> None:
    record = proposed(inbox, blurred=[(12, 20, 60, 80)])
    inbox.decide(record.name, "accept", revision=1, by="")

    annotation = read_annotation(tmp_path / "Annotations" / f"{record.name}.xml", "x.xml").annotation
    assert annotation is not None
    assert [one.difficult for one in annotation.objects] == [True, False]


@pytest.mark.parametrize("how", ["accept", "correct"])
def test_difficult_faces_stay_difficult(inbox: Inbox, tmp_path: Path, how: Any) -> None:
    face = ProposedFace(label="with_mask", box=(10, 20, 60, 80), difficult=True)
    record = inbox.propose(replace(proposal(), faces=[face]))
    assert record is not None
    inbox.decide(record.name, how, revision=1, by="", faces=[Correction(face.label, face.box, True)])

    annotation = read_annotation(tmp_path / "Annotations" / f"{record.name}.xml", "x.xml").annotation
    assert annotation is not None
    assert [one.difficult for one in annotation.objects] == [True]


def test_undoing_a_correction_proposes_its_faces(inbox: Inbox) -> None:
    name = inbox.save(encoded("PNG"), [replace(ONE[0], difficult=True)])

    back = inbox.undo(name, revision=1, by="")

    assert back.proposed == (ProposedFace(label="with_mask", box=ONE[0].box, difficult=True),)


def test_what_looks_alike_waits_once(inbox: Inbox) -> None:
    record = proposed(inbox)
    again = encoded("JPEG", quality=60)
    alike = Proposal(again, decode(again), [], "uncertain")

    assert inbox.propose(alike) is None
    inbox.decide(record.name, "reject", revision=1, by="")
    assert inbox.propose(alike) is None
    assert inbox.propose(alike, alike_too=True) is not None
    assert inbox.propose(alike, alike_too=True) is None


def test_what_looks_alike_may_come_again_once_it_is_decided(inbox: Inbox) -> None:
    record = proposed(inbox)
    inbox.decide(record.name, "accept", revision=1, by="")
    again = encoded("JPEG", quality=60)

    assert inbox.propose(Proposal(again, decode(again), [], "uncertain")) is not None


@pytest.mark.parametrize("limits", [InboxLimits(waiting=1), InboxLimits(waiting_bytes=9000)])
def test_full_queue_refuses(tmp_path: Path, limits: InboxLimits) -> None:
    inbox = Inbox(tmp_path, limits)
    proposed(inbox)

    with pytest.raises(InboxFull, match="wait for a decision"):
        inbox.propose(proposal(1))


def test_training_pictures_are_limited_too(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, InboxLimits(pictures=1))
    first, second = proposed(inbox, 1), proposed(inbox, 2)
    inbox.decide(first.name, "accept", revision=1, by="")

    with pytest.raises(InboxFull):
        inbox.decide(second.name, "accept", revision=1, by="")

    inbox.decide(first.name, "correct", revision=2, by="", faces=ONE)


def test_old_proposals_expire(inbox: Inbox, tmp_path: Path) -> None:
    kept, old, rejected = (proposed(inbox, seed) for seed in (1, 2, 3))
    inbox.decide(kept.name, "accept", revision=1, by="")
    inbox.decide(rejected.name, "reject", revision=1, by="")
    now = datetime.now(timezone.utc)

    inbox.tidy(now=now + timedelta(days=2))
    assert [one.name for one in inbox.records()] == [kept.name, old.name]
    inbox.tidy(now=now + timedelta(days=31))

    assert [one.name for one in inbox.records()] == [kept.name]
    assert stored(tmp_path) == [f"Annotations/{kept.name}.xml", f"JPEGImages/{kept.file}"]
    assert [line["what"] for line in audit(tmp_path)][-2:] == ["expired", "expired"]


@pytest.mark.parametrize("step", ["undo", "skip"])
def test_what_trained_for_long_waits_anew(inbox: Inbox, tmp_path: Path, step: str) -> None:
    name = inbox.save(encoded("PNG"), ONE, by="anna")
    date_back(tmp_path, name, days=40)
    if step == "undo":
        inbox.undo(name, revision=1, by="bob")
    else:
        inbox.decide(name, "skip", revision=1, by="bob")
    now = datetime.now(timezone.utc)

    inbox.tidy(now=now + timedelta(days=29))
    assert [one.name for one in inbox.records()] == [name]
    inbox.tidy(now=now + timedelta(days=31))

    assert inbox.records() == []


def test_clock_that_is_far_ahead_removes_no_proposal(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed(inbox)
    ahead = datetime.now(timezone.utc) + timedelta(days=400)
    monkeypatch.setattr("maskdet.inbox.inbox.datetime", SimpleNamespace(now=lambda _zone: ahead))
    started = Inbox(tmp_path)

    started.tidy()
    assert len(started.records()) == 1

    later = time.monotonic() + 86_401
    monkeypatch.setattr(started._doubt, "_monotonic", lambda: later)
    monkeypatch.setattr(started, "_tidied", -math.inf)
    started.tidy()
    assert started.records() == []


def test_what_a_person_accepts_meanwhile_does_not_expire(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, other = proposed(inbox), Inbox(tmp_path)
    writing = inbox._writing

    def accepted_before() -> AbstractContextManager[None]:
        if other.record(old.name).state == "proposal":
            other.decide(old.name, "accept", revision=1, by="anna")
        return writing()

    monkeypatch.setattr(inbox, "_writing", accepted_before)
    inbox.tidy(now=datetime.now(timezone.utc) + timedelta(days=31))

    assert inbox.record(old.name).state == "accepted"
    assert stored(tmp_path) == [f"Annotations/{old.name}.xml", f"JPEGImages/{old.file}"]


def test_correction_of_a_proposal_settles_it(inbox: Inbox, tmp_path: Path) -> None:
    asked = proposal()
    record = inbox.propose(asked)
    assert record is not None

    assert inbox.save(asked.data, ONE, by="anna") == record.name

    found = inbox.record(record.name)
    assert (found.state, found.why, found.revision) == ("corrected", "uncertain", 2)
    assert stored(tmp_path) == [f"Annotations/{record.name}.xml", f"JPEGImages/{record.file}"]


@pytest.mark.parametrize(
    ("caps", "ago", "allowed"),
    [
        (Caps(1, 9, 9), [30], False),
        (Caps(1, 9, 9), [61], True),
        (Caps(9, 2, 9), [100, 3500], False),
        (Caps(9, 2, 9), [100, 3700], True),
        (Caps(9, 9, 1), [80_000], False),
        (Caps(9, 9, 1), [90_000], True),
        (Caps(1, 1, 1), [-500], True),
    ],
)
def test_caps_count_what_was_captured_before(
    tmp_path: Path, caps: Caps, ago: list[float], allowed: bool
) -> None:
    now = datetime.now(timezone.utc).timestamp()
    (tmp_path / "captures.json").write_text(json.dumps({"times": [now - one for one in ago]}))
    inbox = Inbox(tmp_path)

    assert (inbox.capture_wait(caps) == 0) is allowed
    if allowed:
        assert inbox.propose(proposal(), caps=caps) is not None
        assert inbox.capture_wait(caps) > 0 or caps.per_minute > 1
    else:
        with pytest.raises(InboxFull):
            inbox.propose(proposal(), caps=caps)


def test_duplicates_use_up_no_caps(inbox: Inbox) -> None:
    caps = Caps(2, 2, 2)
    inbox.propose(proposal(), caps=caps)
    inbox.propose(proposal(), caps=caps)

    assert inbox.capture_wait(caps) == 0


@pytest.mark.parametrize("damage", ["", "{", '{"name": "x"}', "\xff"])
def test_damaged_record_is_left_alone(tmp_path: Path, damage: str) -> None:
    inbox = Inbox(tmp_path)
    record, other = proposed(inbox, 1), proposed(inbox, 2)
    (tmp_path / "records" / f"{record.name}.json").write_bytes(damage.encode("latin-1"))

    again = Inbox(tmp_path)

    assert [one.name for one in again.records()] == [other.name]
    assert (tmp_path / "proposals" / record.file).exists()


def test_picture_that_a_person_removed_takes_its_record_along(inbox: Inbox, tmp_path: Path) -> None:
    record = proposed(inbox)
    inbox.decide(record.name, "accept", revision=1, by="")
    (tmp_path / "JPEGImages" / record.file).unlink()

    assert Inbox(tmp_path).records() == []
    assert stored(tmp_path) == []


def test_edited_annotations_and_foreign_pairs_stay(inbox: Inbox, tmp_path: Path) -> None:
    record = proposed(inbox)
    inbox.decide(record.name, "accept", revision=1, by="")
    edited = tmp_path / "Annotations" / f"{record.name}.xml"
    edited.write_text(edited.read_text().replace("without_mask", "with_mask"))
    (tmp_path / "JPEGImages" / "mine.png").write_bytes(encoded("PNG"))

    Inbox(tmp_path)

    assert "without_mask" not in edited.read_text()
    assert (tmp_path / "JPEGImages" / "mine.png").exists()


def test_audit_file_is_bounded_and_survives_a_torn_line(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskdet.inbox.audit.MAX_BYTES", 500)
    # Windows has no such call.
    monkeypatch.delattr(os, "pread", raising=False)
    with (tmp_path / "audit.jsonl").open("a") as stream:
        stream.write('{"at": "20')
    for seed in range(8):
        proposed(inbox, seed)

    sizes = [path.stat().st_size for path in tmp_path.glob("audit*.jsonl")]
    assert len(sizes) == 2
    assert max(sizes) < 800
    assert audit(tmp_path)[-1]["what"] == "proposed"


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process grows beyond a size: the kernel itself refuses, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(folder: Path) -> dict[Path, bytes]:
    """All files but the audit file, of which a torn line may be left."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "audit.jsonl")
    return {path: path.read_bytes() for path in paths}


def is_refused(step: Callable[[], object]) -> bool:
    try:
        step()
    except InboxFull:
        return True
    return False


@pytest.mark.parametrize("size", [1, 300, 700, 1000, 1400, 4000])
def test_full_disk_is_a_refusal(
    inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    first, second = proposed(inbox, 1), proposed(inbox, 2)
    inbox.decide(second.name, "accept", revision=1, by="")
    (tmp_path / "audit.jsonl").write_text("")
    steps = (
        lambda: inbox.propose(proposal(3)),
        lambda: inbox.save(encoded("PNG", seed=4), ONE),
        lambda: inbox.decide(first.name, "accept", revision=1, by=""),
        lambda: inbox.undo(second.name, revision=2, by=""),
    )
    seen = 0

    for step in steps:
        before = contents(tmp_path)
        with full_disk(size):
            refused = is_refused(step)
        if refused:
            assert contents(tmp_path) == before
        seen += refused

    assert 2 <= seen == caplog.text.count("the inbox cannot be written")
    assert proposed(inbox, 5).state == "proposal"
