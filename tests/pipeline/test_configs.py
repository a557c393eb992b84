"""The pipeline files that come with the project are valid and mean what they say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maskdet.dataset.prepare import decide
from maskdet.dataset.splitting.frozen import read_frozen
from maskdet.dataset.unlabelled import read_unlabelled
from maskdet.pipeline.file.load import load_pipeline

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yml")), ids=lambda path: path.name)
def test_every_config_is_valid(path):
    pipeline = load_pipeline(path)
    assert pipeline.data.labels is not None
    assert set(pipeline.data.aliases.values()) <= set(pipeline.data.labels)
    # scripts/loop.py copies its file beside a copy of the sample set.
    places = (CONFIGS.parent / "data", CONFIGS)
    assert all(each.root.resolve().parent in places for each in pipeline.data.every_root)


def test_the_names_of_the_results_differ():
    names = [load_pipeline(path).name for path in CONFIGS.glob("*.yml")]
    assert len(set(names)) == len(names) == 5


def test_the_frozen_val_lists_the_shipped_models_val():
    """tests/dataset/test_real_set.py checks it against the pictures."""
    frozen = read_frozen(load_pipeline(CONFIGS / "face_mask.yml").data.frozen_val)
    assert len({each.sha256 for each in frozen.val}) == 150
    assert not frozen.knows_to_train(each.sha256 for each in frozen.val)


def test_a_correction_of_a_val_picture_leaves_the_loops_val_as_it_was(tmp_path):
    """The project as scripts/loop.py lays it out."""
    shutil.copytree(CONFIGS.parent / "data" / "sample", tmp_path / "sample")
    shutil.copy(CONFIGS / "loop.yml", tmp_path / "pipeline.yml")
    data = load_pipeline(tmp_path / "pipeline.yml").data
    before = decide(data)
    before.freeze(data)
    corrected = before.manifest.part("val")[0]
    for name in (corrected.picture, corrected.annotation):
        (tmp_path / "inbox" / name).parent.mkdir(parents=True)
        shutil.copy(tmp_path / "sample" / name, tmp_path / "inbox" / name)
    after = decide(data).manifest
    val = {each.sha256 for each in before.manifest.part("val")}
    assert {each.sha256 for each in after.part("val")} == val
    assert [each.root for each in after.part("val") if each.sha256 == corrected.sha256] == ["inbox"]


@pytest.mark.parametrize("name", ["default", "fast"])
def test_the_family_has_one_val(name):
    data = load_pipeline(CONFIGS / f"{name}.yml").data
    one, family = read_frozen(CONFIGS / "face_mask.val.json"), read_frozen(data.frozen_val)
    assert {each.sha256 for each in one.val} < {each.sha256 for each in family.val}
    assert len({each.sha256 for each in family.val}) == 398
    faces = read_unlabelled(data.unlabelled).faces
    assert len(faces) == 306
    assert not {each.sha256 for each in faces} & {each.sha256 for each in family.val}
