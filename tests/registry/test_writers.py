"""Two writers at once, writers that are killed, and a full disk."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from trained import REPO

from maskdet.errors import RegistryError
from maskdet.registry.records import Move
from maskdet.registry.registry import Registry
from maskdet.registry.verification import verify_registry
from maskdet.system.asides import PREFIX

PROMOTE = """
import sys
from pathlib import Path
from maskdet.errors import RegistryError
from maskdet.registry.registry import Registry
registry, number = Registry(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
try:
    registry.set_alias("face-mask", "champion", number, by=f"writer {number}", why="mine", expected=1)
except RegistryError as error:
    print(error.what)
    sys.exit(error.exit_code)
"""


def test_of_two_processes_that_promote_at_once_one_wins(registry: Registry) -> None:
    registry.set_alias("face-mask", "champion", 1, why="start")
    command = [sys.executable, "-c", PROMOTE, str(registry.folder)]
    writers = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPO
        )
        for number in (2, 3)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=60)[0] for writer in writers]
    codes = [writer.returncode for writer in writers]

    assert sorted(codes) == [0, RegistryError.exit_code]
    winner = 2 + codes.index(0)
    assert registry.aliases("face-mask") == {"champion": winner}
    assert f"version {winner}, not to version 1: writer {winner} moved it (mine)" in said[1 - codes.index(0)]
    moves = [event for event in registry.history("face-mask") if isinstance(event, Move)]
    assert [move.after for move in moves] == [1, winner]


def test_many_writers_give_each_bundle_one_number(bundle: Callable[[int], Path], tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    bundles = [bundle(number) for number in range(4)] * 3
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda path: registry.register("face-mask", path), bundles))
    assert sorted({version.number for version in made}) == [1, 2, 3, 4]
    assert len({(version.number, version.record.bundle) for version in made}) == 4
    assert [fault for one in verify_registry(registry) for fault in one.faults] == []


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_killed_writer_leaves_nothing_half_done(bundle: Callable[[int], Path]) -> None:
    command = [
        sys.executable,
        "scripts/breaking/registry.py",
        str(bundle(1)),
        "--every-call",
        "--rounds",
        "10",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, cwd=REPO)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing was half-done") == 2


class FullDisk:
    """No file may grow beyond a size, as on a disk without room."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._before[1]))

    def __exit__(self, *error: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("what", ["nothing", "part of the bundle", "all but the history"])
def test_a_full_disk_leaves_the_registry_as_it_was(
    registry: Registry, bundle: Callable[[int], Path], what: str
) -> None:
    further = bundle(4)
    history = registry.folder / "face-mask" / "history.jsonl"
    while history.stat().st_size < 2 * further.stat().st_size:
        registry.set_alias("face-mask", "champion", 3, why="make the history longer than the bundle")
        registry.set_alias("face-mask", "champion", 1, why="make the history longer than the bundle")
    room = {"nothing": 0, "part of the bundle": 1000, "all but the history": history.stat().st_size + 20}
    size = room[what]
    before = files(registry.folder)

    with FullDisk(size), pytest.raises(RegistryError, match="the registry is unchanged") as caught:
        registry.register("face-mask", further)
    assert "make room" in caught.value.hint
    assert files(registry.folder) == before
    with FullDisk(size), pytest.raises(RegistryError, match="the registry is unchanged"):
        registry.set_alias("face-mask", "champion", 2, why="next")
    assert files(registry.folder) == before

    assert registry.register("face-mask", further).number == 4
    assert [fault for one in verify_registry(registry) for fault in one.faults] == []
    assert not list(registry.folder.rglob(f"{PREFIX}*"))


def test_a_first_version_that_does_not_fit_leaves_no_model(
    bundle: Callable[[int], Path], tmp_path: Path
) -> None:
    first = bundle(1)
    with FullDisk(1000), pytest.raises(RegistryError):
        Registry(tmp_path / "models").register("face-mask", first)
    assert Registry(tmp_path / "models").models() == ()


def test_a_registry_that_cannot_be_written_to_can_be_read(registry: Registry) -> None:
    registry.set_alias("face-mask", "champion", 1, why="start")
    lock = registry.folder / "face-mask" / ".lock"
    lock.unlink()
    lock.mkdir()
    assert registry.resolve("models:face-mask@champion").number == 1
    with pytest.raises(RegistryError, match="the registry is unchanged"):
        registry.set_alias("face-mask", "champion", 2, why="next")
