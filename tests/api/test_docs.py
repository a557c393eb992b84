"""The page names all that is public, and the tour shows what its cells give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from trained import REPO

import maskdet
from maskdet.detector.shipped import ships_model

PAGE = REPO / "docs" / "python-api.md"
TOUR = REPO / "docs" / "tour.ipynb"
pytestmark = pytest.mark.skipif(not ships_model(), reason="this build ships no default model")


def test_the_page_names_all_that_is_public() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not [name for name in maskdet.__all__ if name.strip("_") not in page and name != "__version__"]


def test_the_tour_was_run_from_end_to_end() -> None:
    cells = [cell for cell in nbformat.read(TOUR, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert "\x1b" not in "".join(output.get("text", "") for output in outputs)
    assert TOUR.stat().st_size < 400_000


@pytest.mark.slow
def test_the_tour_runs_and_shows_what_was_committed(tmp_path: Path) -> None:
    written = tmp_path / "tour.ipynb"
    script = REPO / "scripts" / "write_tour"
    subprocess.run([sys.executable, str(script), "--out", str(written)], check=True, cwd=REPO)
    fresh, committed = (nbformat.read(path, as_version=4).cells for path in (written, TOUR))
    assert [cell.source for cell in fresh] == [cell.source for cell in committed], "run scripts/write_tour"
    assert list(map(shown, fresh)) == list(map(shown, committed))


def shown(cell: Any) -> list[set[str]]:
    """The kinds of what a cell shows: its text and figures may differ with the machine."""
    return [set(output.get("data", {"text": ""})) for output in cell.get("outputs", ())]
