"""A small labelled set with every peculiarity that a conversion has to keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from labelled_sets import add

from maskdet.dataset.formats.convert import Conversion, convert


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    root = tmp_path / "voc"
    add(root, "plain.jpg", ("with_mask", (3, 4, 30, 40), 0), ("without_mask", (41, 7, 60, 33), 1))
    add(root, "turned.jpg", ("with_mask", (1, 2, 55, 79), 0), turn=6)
    add(root, "口罩 1.png", ("口罩 <&>", (0.25, 1.125, 20.5, 21.875), 0), ("with_mask", (3, 4, 30, 60.5), 1))
    add(root, "nobody.PNG")
    return root


@pytest.fixture
def turn(tmp_path: Path) -> Callable[..., Conversion]:
    """`convert`, by the names of folders in tmp_path."""

    def call(source: str, target: str, to: str, **options: object) -> Conversion:
        return convert(tmp_path / source, tmp_path / target, to, **options)

    return call
