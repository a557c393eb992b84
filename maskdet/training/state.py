"""The resumable state of a training: one safetensors file whose header records its progress. No pickle."""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from maskdet.errors import TrainingError

STATE_NAME = "last.safetensors"
_HEADER_KEY = "maskdet"


@dataclass(frozen=True, slots=True)
class TrainState:
    """A training's progress: finished epochs, and AP50 as a fraction of 1, None before any evaluation."""

    epoch: int
    """The last finished one; 0 is the start, if its weights were evaluated."""
    epochs: int
    finished: bool
    best_ap50: float | None
    best_epoch: int | None
    waited: int
    """Evaluations since the best one."""
    fingerprint: str
    """Hash of everything that the training depends on; another one must not be resumed from here."""
    parts: int = 1
    """Parts into which each step is split for lack of memory."""
    rate_share: float = 1.0
    """Share of the recipe's learning rate, after the loss diverged."""
    seconds: float = 0.0
    """Wall-clock time of all sessions up to the last finished epoch."""
    reason: str = ""
    """For a finished training: the setting that ended it, which is epochs, patience or max_hours."""
    start_ap50: float | None = None
    """AP50 of the starting weights, None if they do not know the data's classes."""

    def to_header(self) -> dict[str, str]:
        """The metadata that safetensors stores: text by text."""
        return {_HEADER_KEY: json.dumps(asdict(self))}


def read_state(out: Path) -> TrainState | None:
    """The state in the folder, or None if no epoch was finished there. Reads only the file's header.

    Raises TrainingError if the file is damaged. Layout: github.com/huggingface/safetensors, "Format".
    """
    path = out / STATE_NAME
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header = json.loads(stream.read(min(length, 100_000_000)))
        return TrainState(**json.loads(header["__metadata__"][_HEADER_KEY]))
    except FileNotFoundError:
        return None
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} is damaged: {error}", "start over with --force") from error
