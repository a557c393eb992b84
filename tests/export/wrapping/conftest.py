from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ppdet_forms import LABELS
from trained import SAMPLE, made_once, run_script

from maskdet.detector.shipped import ships_model
from maskdet.types import Detections

_SCRIPT = Path(__file__).with_name("export_with_ppdet.py")


@dataclass(frozen=True)
class Exports:
    """Real exports by YEAR/FORM below `folder`, and what PaddleDetection finds in the pictures."""

    folder: Path
    pictures: tuple[Path, ...]

    def found(self, year: str, which: str, number: int) -> Detections:
        """By ppdet itself: with the head's `own` NMS, or with the `deployed` one of infer_cfg.yml."""
        with np.load(self.folder / "found.npz") as stored:
            rows = stored[f"{year}_{which}_{number}"]
        return Detections(rows[:, 2:], rows[:, 1], rows[:, 0].astype(np.int64))


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """Made once for all tests: exporting takes half a minute."""
    if not ships_model():
        pytest.skip("this build ships no default model")
    pictures = tuple(sorted((SAMPLE / "JPEGImages").iterdir())[:4])

    def make(folder: Path) -> Path:
        run_script(_SCRIPT, folder, ",".join(LABELS), *pictures)
        return folder

    return Exports(made_once(tmp_path_factory, "ppdet-exports", make), pictures)
