"""Files that are written aside, what is said when the disk is full, and which files a folder holds."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from maskdet.system.files import staged_file, staged_folder, visible_files

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


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in visible_files(folder))


def fill_folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    fill_folders(tmp_path, "one/a", "two/b")
    (tmp_path / "one" / "next").symlink_to(tmp_path / "two")
    (tmp_path / "two" / "next").symlink_to(tmp_path / "one")
    (tmp_path / "two" / "self").symlink_to(".")
    assert files_in(tmp_path / "one") == ["a", "next/b"]


def test_a_folder_is_visited_once_and_under_its_own_name(tmp_path: Path) -> None:
    fill_folders(tmp_path, "z/deep/a")
    (tmp_path / "link").symlink_to("z/deep")
    (tmp_path / "again").symlink_to("z")
    assert files_in(tmp_path) == ["z/deep/a"]


def test_a_link_shows_what_is_hidden_elsewhere(tmp_path: Path) -> None:
    fill_folders(tmp_path, ".data/a", ".data/.b", ".hidden")
    (tmp_path / "data").symlink_to(".data")
    assert files_in(tmp_path) == ["data/a"]
