"""Which pictures a model knows from its training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gates_val import Val
from trained import SAMPLE, sample_manifest

from maskdet.dataset.pictures import perceptual_hash
from maskdet.detector.picture import read_picture
from maskdet.errors import RegistryError
from maskdet.files import sha256_file
from maskdet.gates.lineage import known_pictures, lineage_of


def phash(path: Path) -> str:
    bits = perceptual_hash(read_picture(path))
    assert bits is not None
    return np.packbits(bits).tobytes().hex()


def test_a_look_alike_of_a_trained_picture_is_left_out(tmp_path: Path) -> None:
    pictures = tuple(replace(each, part="val") for each in sample_manifest().pictures[:6])
    manifest = replace(sample_manifest(), pictures=pictures)
    original = SAMPLE / pictures[2].picture
    # A copy of other bytes with the same look: its sha256 says nothing.
    entry = {"sha256": "0" * 64, "phash": phash(original), "part": "train"}
    validated = {"sha256": pictures[3].sha256, "phash": phash(SAMPLE / pictures[3].picture), "part": "val"}
    (tmp_path / "pictures.json").write_text(json.dumps({"pictures": [entry, validated]}))
    lineage = lineage_of(tmp_path / "model.onnx", manifest, "", "unknown")

    left_out = known_pictures(manifest, SAMPLE, {"champion": lineage, "challenger": None})

    assert [(each.picture, each.who) for each in left_out] == [(pictures[2].picture, "champion")]
    assert left_out[0].why == "was trained on a look-alike (0 of 256 bits)"


def test_a_model_of_this_manifest_knows_its_train_part(val: Val) -> None:
    trained = tuple(
        replace(each, part="train") if n < 5 else each for n, each in enumerate(val.whole.pictures)
    )
    # A picture in both parts under two names.
    again = replace(trained[0], picture="again.png", part="val")
    split = val.with_pictures((*trained, again))
    digest = sha256_file(split.manifest)
    lineage = lineage_of(val.root / "nowhere" / "model.onnx", split.whole, digest, digest)
    left_out = known_pictures(split.whole, val.root, {"challenger": lineage})
    assert [each.picture for each in left_out] == ["again.png"]
    assert lineage_of(val.root / "nowhere" / "model.onnx", split.whole, digest, "another") is None


@pytest.mark.parametrize(
    "text", ["not json", "{}", '{"pictures": [{"part": "train", "sha256": "a", "phash": "00"}]}']
)
def test_a_damaged_lineage_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "pictures.json").write_text(text)
    with pytest.raises(RegistryError, match="is damaged"):
        lineage_of(tmp_path / "model.onnx", sample_manifest(), "", "")
