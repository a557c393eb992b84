"""The batches that a training sees, from a real feed in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trained import DrawnSet, draw_faces, make_job, run_script

DIGEST = Path(__file__).with_name("digest_feed.py")
NAMES = ["a face mask.png", "口罩 一.jpg", "UPPER.JPG", "semi;colon's.bmp"]
NEGATIVES, PICTURES = 6, 14


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> DrawnSet:
    """Pictures with odd names and two faces each, and others without any."""
    root = tmp_path_factory.mktemp("feed") / "目录 with spaces"
    faces = draw_faces(root, 8, names=NAMES).manifest
    none = draw_faces(root, PICTURES, faces=0).manifest.pictures[8:]
    pictures = (*faces.pictures, *none)
    return DrawnSet(root, replace(faces, pictures=pictures)).dealt(train=range(PICTURES), val=[0])


@pytest.fixture(scope="module")
def fed(mixed: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("digest")
    job = make_job(folder, mixed, variant="picodet_xs_320", batch_size=2)
    return run_script(DIGEST, job.config, job.manifest)


def epoch(fed: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return fed["told"][key][0]


def test_each_picture_is_seen_once_an_epoch(fed: dict[str, Any]) -> None:
    ids = sorted(number for batch in epoch(fed, "0/0") for number in batch["ids"])
    assert ids == list(range(PICTURES))
    assert fed["steps"] == len(epoch(fed, "0/0")) == PICTURES // 2


def test_pictures_without_faces_stay_in(fed: dict[str, Any]) -> None:
    batches = epoch(fed, "0/0") + epoch(fed, "0/1")
    negatives = [number for batch in batches for number in batch["ids"] if number >= PICTURES - NEGATIVES]
    assert len(negatives) == 2 * NEGATIVES
    assert any(batch["faces"] > 0 for batch in batches)


def test_the_same_seed_and_epoch_give_the_same_batches(fed: dict[str, Any]) -> None:
    """Also where the epoch before was not gone through, as after a resume."""
    first, again = fed["told"]["0/1"]
    assert first == again


@pytest.mark.parametrize(("one", "other"), [("0/0", "0/1"), ("0/0", "1/0")])
def test_another_seed_or_epoch_gives_other_batches(fed: dict[str, Any], one: str, other: str) -> None:
    assert [batch["ids"] for batch in epoch(fed, one)] != [batch["ids"] for batch in epoch(fed, other)]


def test_batches_are_of_one_square_size_and_know_their_epoch(fed: dict[str, Any]) -> None:
    for batch in epoch(fed, "0/1"):
        count, channels, height, width = batch["shape"]
        assert (count, channels) == (2, 3)
        assert height == width
        assert height in (64, 96)
        assert batch["epoch"] == 1


def test_a_batch_that_workers_cannot_share_is_refused(fed: dict[str, Any]) -> None:
    assert "train.batch_size 2 cannot be divided among 3 workers" in fed["refused"]
    assert "multiple of 3" in fed["refused"]
