"""What is kept of one answered picture: a few numbers, no pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.detector.verdict import Decision
from maskdet.drift.appearance import Appearance
from maskdet.types import Detections


@dataclass(frozen=True, slots=True)
class Sighting:
    """outcome: the verdict; values: by feature one number for each sample, for `label` the class id.

    own: whether the model's own thresholds decided. If a client gave others, only what does not depend on
    them is counted.
    """

    outcome: Decision
    values: Mapping[str, Sequence[float]]
    own: bool = True


def sighting(
    seen: Appearance, found: Detections, size: tuple[int, int], outcome: Decision, *, own: bool = True
) -> Sighting:
    """found: the final answer, not limited in number; size: (height, width) of the picture."""
    values: dict[str, Sequence[float]] = {"brightness": (seen.brightness,), "blur": (seen.blur,)}
    if own:
        sides = np.sqrt((found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1, dtype=np.float64))
        values["faces"] = (len(found),)
        values["face_size"] = (sides / (size[0] * size[1]) ** 0.5).tolist()
        values["face_pixels"] = sides.tolist()
        values["score"] = found.scores.tolist()
        values["label"] = found.class_ids.tolist()
    return Sighting(outcome, values, own)
