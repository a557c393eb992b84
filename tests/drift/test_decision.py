"""What a rule counts while people go on working."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskdet.drift.decision import ANNOTATIONS, new_labels


def test_an_annotation_that_goes_while_they_are_counted_is_not_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ANNOTATIONS
    folder.mkdir()
    for name, seconds in (("old.xml", 10), ("new.xml", 30), ("gone.xml", 30)):
        (folder / name).touch()
        os.utime(folder / name, (seconds, seconds))
    found = list(folder.glob("*.xml"))
    (folder / "gone.xml").unlink()

    def listed(folder: Path, pattern: str) -> Iterator[Path]:
        del folder, pattern
        return iter(found)

    monkeypatch.setattr(Path, "glob", listed)
    assert new_labels(tmp_path, since=20) == 1
