"""Difficult faces in training: it learns neither that they are faces nor that they are background."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from trained import DrawnSet, make_job, run_script

from maskdet.dataset.manifest import Manifest

SCRIPT = Path(__file__).with_name("difficult_batch.py")
DIFFICULT = "without_mask"
PICTURES = 24
"""With a face of each class."""


def marked(manifest: Manifest) -> Manifest:
    """All faces of one class are difficult, in train."""
    pictures = [
        replace(
            picture,
            objects=tuple(
                replace(item, difficult=picture.part == "train" and item.label == DIFFICULT)
                for item in picture.objects
            ),
        )
        for picture in manifest.pictures
    ]
    return replace(manifest, pictures=tuple(pictures))


@pytest.fixture(scope="module", params=["picodet_xs_320", "picodet_s_320_esnet"])
def told(request: pytest.FixtureRequest, drawn: DrawnSet, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The first batch of a training with each network's head, seen by its first and its last assigner."""
    data = replace(drawn, manifest=marked(drawn.manifest))
    folder = tmp_path_factory.mktemp("difficult")
    job = make_job(folder, data, variant=request.param, plain=True)
    recipe = yaml.safe_load(job.config.read_text())
    recipe["TrainReader"]["sample_transforms"] = [{"Decode": {}}, {"PasteFaces": {"probability": 1.0}}]
    job.config.write_text(yaml.safe_dump(recipe))
    return run_script(SCRIPT, job.config, job.manifest)


def test_an_anchor_in_a_difficult_face_learns_nothing(told: dict[str, Any]) -> None:
    assert len(told["batches"]) == 2
    for batch in told["batches"]:
        assert batch["anchors"] > 20
        assert batch["inside"] == 0


def test_every_other_anchor_learns(told: dict[str, Any]) -> None:
    assert len(told["batches"]) == 2
    for batch in told["batches"]:
        assert batch["outside"] > 0
        assert batch["boxes"] > 0


def test_no_difficult_face_is_taught_or_pasted(told: dict[str, Any]) -> None:
    assert told["classes"] == [0]
    assert told["faces"] > PICTURES, "some are pasted"
