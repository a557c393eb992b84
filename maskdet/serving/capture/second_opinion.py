"""A second pass over an answered picture: by another model, or over its mirror image."""

from __future__ import annotations

import numpy as np

from maskdet.detector.picture import PictureLimits, decode_reduced
from maskdet.inbox.policy import MIRROR, MODELS, disagreement
from maskdet.inbox.settings import CaptureSettings
from maskdet.serving.capture.candidate import Candidate, Finding, finding, proposed, sure
from maskdet.serving.engine.engine import Engine
from maskdet.serving.engine.served_model import Work
from maskdet.types import Detections, Picture

Answer = tuple[Detections, tuple[str, ...]]
"""Detections in the pixels of the picture, and the labels of their class ids."""


class SecondOpinion:
    """Asks the engine while it has nothing else to do."""

    def __init__(self, engine: Engine, settings: CaptureSettings, limits: PictureLimits) -> None:
        self._engine = engine
        self._model = settings.second_model
        self._mirror = settings.mirror
        self._limits = limits

    def on(self, candidate: Candidate) -> Finding | str:
        """What is in dispute; `agreed` if nothing is, `busy` if the engine had no time."""
        result = candidate.result
        own, labels = sure(result), result.model.meta.labels
        for why in self._wanted(result.model.name):
            second = self._by_model(candidate) if why == MODELS else self._mirrored(candidate)
            if second is None:
                return "busy"
            ours, theirs = disagreement(own, second[0], labels, second[1])
            if ours.any() or theirs.any():
                others = proposed(second[0].select(theirs), second[1], disputed=True)
                return finding(why, result, own.select(ours), others)
        return "agreed"

    def _wanted(self, answered: str) -> list[str]:
        wanted = {MODELS: self._model not in ("", answered), MIRROR: self._mirror}
        return [why for why, on in wanted.items() if on]

    def _by_model(self, candidate: Candidate) -> Answer | None:
        second = self._engine.spare(Work(candidate.work.source, self._model))
        return (second.detections, second.model.meta.labels) if second else None

    def _mirrored(self, candidate: Candidate) -> Answer | None:
        result, pixels = candidate.result, self._mirror_image(candidate)
        second = self._engine.spare(Work(pixels, result.model.name, candidate.work.threshold))
        # A swap in between would compare two models.
        if second is None or second.model is not result.model:
            return None
        return mirrored_back(second.detections, pixels, result.size), result.model.meta.labels

    def _mirror_image(self, candidate: Candidate) -> Picture:
        """At the scale at which the picture itself was looked at."""
        source = candidate.work.source
        if isinstance(source, bytes):
            least = candidate.result.model.meta.input_size
            source = decode_reduced(source, self._limits, at_least=least).pixels
        return np.ascontiguousarray(source[:, ::-1])


def mirrored_back(found: Detections, pixels: Picture, size: tuple[int, int]) -> Detections:
    """Boxes in the mirrored, perhaps reduced `pixels` as those in the picture of `size` (height, width)."""
    width = pixels.shape[1]
    back = found.boxes[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
    back += np.array([width, 0, width, 0], np.float32)
    scale = np.array([size[1] / width, size[0] / pixels.shape[0]] * 2, np.float32)
    return Detections(back * scale, found.scores, found.class_ids)
