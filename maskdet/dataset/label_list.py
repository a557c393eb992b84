"""The list of classes, one a line by class id, as PaddleDetection reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskdet.artefacts import LABEL_LIST
from maskdet.system.files import write_text


def write_labels(folder: Path, labels: Sequence[str]) -> None:
    """Write the list into the folder."""
    write_text(folder / LABEL_LIST, "".join(f"{label}\n" for label in labels))
