"""The examples of docs/python-api.md run as they stand, and the tour shows what its cells give."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from media import save_video
from trained import REPO, SAMPLE

import maskdet
from maskdet.detector.picture import read_picture
from maskdet.detector.shipped import ships_model

PAGE = REPO / "docs" / "python-api.md"
TOUR = REPO / "docs" / "tour.ipynb"
SECTIONS = re.findall(
    r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
PIPELINE = """
name: small
data: {root: faces, labels: [with_mask, without_mask, mask_weared_incorrect]}
model: {variant: picodet_s_320_esnet, pretrained: default}
train: {batch_size: 4, workers: 1}
export: {parity_pictures: 2}
"""
pytestmark = pytest.mark.skipif(not ships_model(), reason="this build ships no default model")


def blocks(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def examples(here: Path, workers_import_maskdet: None) -> Path:
    """What the page speaks of, in the current directory."""
    pictures = sorted((SAMPLE / "JPEGImages").iterdir())[:12]
    for folder in ("photos", "faces/JPEGImages", "faces/Annotations"):
        (here / folder).mkdir(parents=True)
    shutil.copy(pictures[0], "photo.jpg")
    for picture in pictures:
        shutil.copy(picture, "faces/JPEGImages")
        shutil.copy(SAMPLE / "Annotations" / f"{picture.stem}.xml", "faces/Annotations")
    for picture in pictures[:3]:
        shutil.copy(picture, "photos")
    (here / "photos" / "broken.jpg").write_bytes(b"no picture")
    save_video(here / "gate.mp4", [read_picture(pictures[1])] * 2)
    (here / "pipeline.yml").write_text(PIPELINE)
    return here


@pytest.mark.parametrize(
    ("title", "text"),
    [
        pytest.param(title, text, id=title, marks=[pytest.mark.slow] if "maskdet.run(" in text else [])
        for title, text in SECTIONS
        if blocks(text)
    ],
)
def test_the_examples_run(examples: Path, title: str, text: str) -> None:
    if title != "Pictures":
        (examples / "photos" / "broken.jpg").unlink()
    # Each section may use what the first one and the imports of earlier ones brought.
    names: dict[str, Any] = {"maskdet": maskdet, "Path": Path, "detector": maskdet.load()}
    for block in blocks(text):
        exec(compile(block, f"{PAGE.name}: {title}", "exec"), names)  # noqa: S102 - our own page


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
    script = REPO / "scripts" / "write_tour.py"
    subprocess.run([sys.executable, str(script), "--out", str(written)], check=True, cwd=REPO)
    fresh, committed = (nbformat.read(path, as_version=4).cells for path in (written, TOUR))
    assert [cell.source for cell in fresh] == [cell.source for cell in committed], "run scripts/write_tour.py"
    assert list(map(shown, fresh)) == list(map(shown, committed))


def shown(cell: Any) -> list[set[str]]:
    """The kinds of what a cell shows: its text and figures may differ with the machine."""
    return [set(output.get("data", {"text": ""})) for output in cell.get("outputs", ())]
