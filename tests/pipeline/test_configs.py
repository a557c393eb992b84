"""The pipeline files that come with the project are valid and mean what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.dataset.frozen import read_frozen
from maskdet.dataset.unlabelled import read_unlabelled
from maskdet.pipeline.load import load_pipeline

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


@pytest.mark.parametrize("name", ["default", "fast"])
def test_the_family_has_one_val(name):
    data = load_pipeline(CONFIGS / f"{name}.yml").data
    one, family = read_frozen(CONFIGS / "face_mask.val.json"), read_frozen(data.frozen_val)
    assert {each.sha256 for each in one.val} < {each.sha256 for each in family.val}
    assert len({each.sha256 for each in family.val}) == 398
    faces = read_unlabelled(data.unlabelled).faces
    assert len(faces) == 306
    assert not {each.sha256 for each in faces} & {each.sha256 for each in family.val}
