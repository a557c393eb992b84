"""Write docs/tour.ipynb: tour.md as cells, run in a fresh folder, with their output."""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "tour.ipynb"
SOURCE = Path(__file__).with_name("tour.md")
MOST_SECONDS = 1200
"""Limit per cell: on two cores all of them take two minutes."""
MOST_PIXELS = 480
"""Longer side of a picture in the notebook."""


def cells() -> Iterator[nbformat.NotebookNode]:
    """A fenced block of Python is a code cell, the text in between a text cell."""
    source = SOURCE.read_text(encoding="utf-8")
    parts = re.split(r"^```python\n(.*?)^```$", source, flags=re.MULTILINE | re.DOTALL)
    for number, part in enumerate(map(str.strip, parts)):
        make = nbformat.v4.new_code_cell if number % 2 else nbformat.v4.new_markdown_cell
        if part:
            yield make(part, id=f"tour-{number:02}")


def tour() -> nbformat.NotebookNode:
    """The notebook, run."""
    notebook = nbformat.v4.new_notebook(cells=list(cells()))
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as scratch:
        # The cells' files go there and are removed afterwards.
        os.environ["TMPDIR"] = scratch
        NotebookClient(
            notebook,
            timeout=MOST_SECONDS,
            coalesce_streams=True,
            resources={"metadata": {"path": str(ROOT)}},
            config=Config(KernelManager={"transport": "ipc"}),
        ).execute()
        _tidy(notebook, scratch)
    nbformat.validate(notebook)
    return notebook


def _tidy(notebook: nbformat.NotebookNode, scratch: str) -> None:
    """Remove what differs between runs, and shrink pictures."""
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if "text" in output:
                output.text = _placeless(output.text, scratch)
            if "image/jpeg" in output.get("data", {}):
                # Pillow offers its images as PNG too.
                output.data.pop("image/png", None)
            for kind, value in output.get("data", {}).items():
                output.data[kind] = _small(kind, value) if "image" in kind else _placeless(value, scratch)


def _placeless(text: str, scratch: str) -> str:
    for folder in Path(scratch).glob("maskdet-tour-*"):
        text = text.replace(str(folder), "…")
    return text.replace(str(ROOT), "…/maskdet")


def _small(kind: str, data: str) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    image.thumbnail((MOST_PIXELS, MOST_PIXELS))
    stream = io.BytesIO()
    image.save(stream, kind.removeprefix("image/"), quality=80)
    return base64.b64encode(stream.getvalue()).decode() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET, help="where to write it")
    target = parser.parse_args().out
    text = nbformat.writes(tour()) + "\n"
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
