"""Files that are written aside, and what is said when the disk is full."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from maskdet.system.files import staged_file, staged_folder

FULL = Path("/dev/full")
full = pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")


def fill(path: Path) -> None:
    """Write where nothing fits."""
    path.symlink_to(FULL)
    path.write_text("new")


def write_file(target: Path) -> None:
    with staged_file(target) as aside:
        fill(aside)


def write_folder(target: Path) -> None:
    with staged_folder(target) as aside:
        fill(aside / "plain")


def write_file_in_folder(target: Path) -> None:
    with staged_folder(target) as aside:
        write_file(aside / "metrics.json")


@full
def test_a_full_disk_names_the_file_and_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    target.write_text("old")
    with pytest.raises(OSError, match=r"No space left on device: '.*report\.md'") as told:
        write_file(target)
    assert told.value.errno == errno.ENOSPC
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@full
@pytest.mark.parametrize(("write", "named"), [(write_folder, "eval"), (write_file_in_folder, "metrics.json")])
def test_in_a_folder_the_innermost_name_counts(tmp_path: Path, write, named: str) -> None:
    with pytest.raises(OSError, match="No space left") as told:
        write(tmp_path / "eval")
    assert Path(told.value.filename).name == named
    assert list(tmp_path.iterdir()) == []


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError) as told, staged_file(tmp_path / "report.md"):
        raise TimeoutError(errno.ETIMEDOUT, "too late")
    assert told.value.filename is None
