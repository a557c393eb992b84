from __future__ import annotations

from pathlib import Path

from maskdet.pipeline import stages
from maskdet.pipeline.stages import STAGES


def test_every_module_with_a_stage_is_in_the_order() -> None:
    folder = Path(stages.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "\nSTAGE = " in path.read_text("utf-8")}
    assert {stage.name for stage in STAGES} == modules


def test_only_training_is_too_long_to_be_run_on_the_way() -> None:
    assert [stage.name for stage in STAGES if stage.long] == ["train"]
