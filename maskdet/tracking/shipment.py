"""All that one training has to tell a tracker, as far as it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from maskdet.tracking.tracker import Status

MODEL_FOLDER = "model"
"""Of the bundle, in a run."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """Read from the results folder at any time: that is the buffer of everything not sent yet."""

    name: str
    """Of the run, the experiment and the registered model."""
    parameters: Mapping[str, str]
    epochs: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    """Figures of each finished epoch; 0 is the start."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Of the evaluation; empty before it."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Folder/name in the run → file. No picture of a person is among them."""
    bundle: Path | None = None
    """The exported model, which is registered."""
    status: Status = "RUNNING"
