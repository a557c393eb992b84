"""Which pictures a model knows from its training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gates_val import Val, settings
from trained import sample_manifest

from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.gates.gates import Absent, Contender, GateJob, judge
from maskdet.gates.lineage import known_pictures, lineage_of
from maskdet.registry.records import PictureRecord


@pytest.fixture(scope="module")
def six() -> Manifest:
    """Six pictures of the sample set, all in val."""
    pictures = tuple(replace(each, part="val") for each in sample_manifest().pictures[:6])
    return replace(sample_manifest(), pictures=pictures)


def test_a_look_alike_of_a_trained_picture_is_left_out(six: Manifest) -> None:
    third, fourth = six.pictures[2:4]
    # A copy of other bytes, of which a few bits of the hash differ: its sha256 says nothing.
    near = f"{int(third.phash, 16) ^ 0b1011:064x}"
    trained = PictureRecord(sha256="0" * 64, phash=near, part="train", inherited=True)
    validated = PictureRecord(sha256=fourth.sha256, phash=fourth.phash, part="val")

    left_out = known_pictures(six, {"champion": lineage_of([trained, validated]), "challenger": None})

    assert [(each.picture, each.who) for each in left_out] == [(third.picture, "champion")]
    assert left_out[0].why == "was trained on a look-alike"


def test_a_bundle_of_this_manifest_knows_its_train_part(val: Val) -> None:
    pictures = (replace(val.whole.pictures[0], part="train"), *val.whole.pictures[1:])
    # The same picture in both parts under two names.
    again = replace(pictures[0], picture="again.png", part="val")
    split = val.with_pictures((*pictures, again))
    model = val.model("of-this", manifest_sha256=load_manifest(split.manifest).data_hash)
    job = GateJob(Contender("a", model), Absent("", first=True), split.manifest, settings())
    report = judge(job)
    assert report.challenger.lineage_known
    assert [each.picture for each in report.left_out] == ["again.png"]
    assert report.pictures == 59
