"""The pictures that decide, as vectors over a picture."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from maskdet.reporting.jpeg import Album
from maskdet.reporting.sections.duels import duels


def test_a_labelled_face_without_a_class_is_drawn(tmp_path: Path) -> None:
    Image.fromarray(np.full((60, 80, 3), 90, np.uint8)).save(tmp_path / "a.png")
    box = [10.0, 10.0, 30.0, 30.0]
    mistakes = {"missed": 1, "bare_passed": 0, "false_alarms": 0}
    answer = {**mistakes, "found": [{"label": "with_mask", "score": 0.9, "box": box}]}
    truth = [{"label": label, "box": box, "difficult": True} for label in ("with_mask", None)]
    told = {"picture": "a.png", "truth": truth, "champion": answer, "challenger": answer}
    gates = {"deciding": {"regressions": [told], "gains": []}}
    drawn = str(duels(SimpleNamespace(gates=gates, files={"a.png": tmp_path / "a.png"}), Album()))
    # Each answer has a box and its halo, each label a box.
    assert drawn.count("<rect") == 2 * 2 + 2
