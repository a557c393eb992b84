"""Plots as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.system.files import staged_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_png(figure: Figure, target: Path) -> None:
    """Write the same bytes for the same figure, whole or not at all."""
    with staged_file(target) as aside:
        # Without matplotlib's version in it, an upgrade does not change the file. The usual level of 6 would
        # save a sixth of the bytes and take three times as long.
        figure.savefig(aside, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 1})
