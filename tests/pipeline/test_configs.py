"""The pipeline files that come with the project are valid and mean what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.pipeline.load import load_pipeline

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yml")), ids=lambda path: path.name)
def test_every_config_is_valid(path):
    pipeline = load_pipeline(path)
    assert pipeline.data.labels is not None
    assert set(pipeline.data.aliases.values()) <= set(pipeline.data.labels)
    assert pipeline.data.root.resolve().parent == CONFIGS.parent / "data"


def test_the_names_of_the_results_differ():
    names = [load_pipeline(path).name for path in CONFIGS.glob("*.yml")]
    assert len(set(names)) == len(names) == 2
