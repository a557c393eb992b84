"""Where workers share their metrics: nothing of it outlives its server, even one that was killed."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from maskdet.serving.process.metrics_folder import metrics_folder

KILLED = """
import os
from maskdet.serving.process.metrics_folder import metrics_folder
with metrics_folder() as folder:
    (folder / "counter_1.db").touch()
    os.kill(os.getpid(), 9)
"""


def test_folder_of_a_killed_server_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    others = tmp_path / "maskdet-metrics-elsewhere-1-x"
    others.mkdir()
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    [left] = set(tmp_path.iterdir()) - {others}

    with metrics_folder() as first, metrics_folder() as second:
        assert set(tmp_path.iterdir()) == {others, first, second}

    assert not left.exists()
    assert set(tmp_path.iterdir()) == {others}
