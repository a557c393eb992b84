"""The stages in their order. Each module only wires a room's verb; heavy imports wait until it runs."""

from __future__ import annotations

from maskdet.pipeline.stages.config import CONFIG
from maskdet.pipeline.stages.eval import EVAL
from maskdet.pipeline.stages.export import EXPORT
from maskdet.pipeline.stages.prepare import PREPARE
from maskdet.pipeline.stages.train import TRAIN

STAGES = (PREPARE, CONFIG, TRAIN, EVAL, EXPORT)

__all__ = ["CONFIG", "EVAL", "EXPORT", "PREPARE", "STAGES", "TRAIN"]
