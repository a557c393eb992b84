"""Files on their way into place, written by several processes: also by two that are number 1."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from maskdet.system.asides import OLD_SECONDS, PREFIX, aside_of, sweep
from maskdet.system.files import staged_file, staged_folder
from maskdet.system.machine import pid_space

HOLD = """
import os, sys; from pathlib import Path
from maskdet.system.files import staged_file, staged_folder
from maskdet.pipeline.running.lock import run_lock
folder = Path(sys.argv[1])
with {opened}:
    print("open as", os.getpid(), flush=True)
    sys.stdin.read()
"""
OPEN_BOTH = "staged_file(folder / 'a.txt') as file, staged_folder(folder / 'b') as below"


def holder(folder: Path, opened: str, *before: str) -> subprocess.Popen[str]:
    """A process that has something open in the folder until its standard input ends."""
    code = HOLD.format(opened=opened)
    if "below" in opened:
        code = code.replace("    print", "    file.write_text('x'); (below / 'c').write_text('x')\n    print")
    process = subprocess.Popen(
        [*before, sys.executable, "-c", code, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("open as") and before:
        pytest.skip(f"no process namespace can be made here: {process.communicate()[1]}")
    assert line == f"open as {1 if before else process.pid}\n"
    return process


def container(folder: Path, opened: str) -> subprocess.Popen[str]:
    """As a process that is number 1 in its own process namespace, like a container's."""
    return holder(folder, opened, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def left(folder: Path) -> int:
    return len(list(folder.glob(f"{PREFIX}*")))


def end(process: subprocess.Popen[str]) -> None:
    _, said = process.communicate("", timeout=60)
    assert process.returncode == 0, said


@pytest.mark.parametrize("start", [holder, container])
def test_two_writers_of_one_place_leave_each_other_alone(
    tmp_path: Path, start: Callable[[Path, str], subprocess.Popen[str]]
) -> None:
    first, second = (start(tmp_path, OPEN_BOTH) for _ in range(2))
    assert left(tmp_path) == 4
    end(first)
    assert left(tmp_path) == 2
    end(second)
    assert left(tmp_path) == 0
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "b" / "c").read_text() == "x"


@pytest.mark.parametrize("start", [holder, container])
def test_what_a_living_process_writes_is_not_swept(
    tmp_path: Path, start: Callable[[Path, str], subprocess.Popen[str]]
) -> None:
    process = start(tmp_path, OPEN_BOTH)
    sweep(tmp_path)
    assert left(tmp_path) == 2
    end(process)


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    process = holder(tmp_path, OPEN_BOTH)
    process.kill()
    process.communicate()
    assert left(tmp_path) == 2
    sweep(tmp_path)
    assert left(tmp_path) == 0


REPLACE = """
import os, signal, sys; from pathlib import Path
from maskdet.system.files import staged_folder
calls, replace = [], Path.replace
def replace_until_killed(self, target):
    calls.append(target)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = replace_until_killed
with staged_folder(Path(sys.argv[1])) as out:
    (out / "new").touch()
"""


@pytest.mark.parametrize("taken", [False, True])
def test_a_kill_between_the_two_renames_of_a_folder_loses_nothing(tmp_path: Path, taken: bool) -> None:
    place = tmp_path / ("long name " * 20)
    with staged_folder(place) as out:
        (out / "old").touch()
    done = subprocess.run([sys.executable, "-c", REPLACE, place], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not place.exists()
    if taken:
        place.mkdir()
        (place / "newest").touch()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert [path.name for path in place.iterdir()] == ["newest" if taken else "old"]


def test_a_folder_that_cannot_be_put_into_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staged_folder(tmp_path / "out") as out:
        (out / "old").touch()
    replace = Path.replace

    def fail_once(self: Path, target: Path) -> Path:
        if (self / "new").exists():
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(OSError, match="Input/output"), staged_folder(tmp_path / "out") as out:
        (out / "new").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["out", "out/old"]


def test_what_a_container_left_is_swept_once_it_is_old(tmp_path: Path) -> None:
    folder = tmp_path / f"{PREFIX}0000beef-1-12345678-export"
    folder.mkdir()
    (folder / "model.onnx").touch()
    day_ago = time.time() - OLD_SECONDS - 60
    os.utime(folder, (day_ago, day_ago))
    sweep(tmp_path)
    assert folder.exists(), "a file within is fresh"
    os.utime(folder / "model.onnx", (day_ago, day_ago))
    sweep(tmp_path)
    assert not folder.exists()


def test_other_files_are_nobodys_leftovers(tmp_path: Path) -> None:
    for name in (".stages", f"{PREFIX}{pid_space()}", "last.safetensors", ".4711-export"):
        (tmp_path / name).write_text("x")
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_one_holder_of_a_results_folder_whatever_its_number(tmp_path: Path) -> None:
    first = container(tmp_path, "run_lock(folder)")
    code = HOLD.format(opened="run_lock(folder)")
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", code, tmp_path]
    second = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert "in use by process 1 on" in second.stderr
    end(first)


@pytest.mark.parametrize("name", ["x" * 251 + ".png", "口" * 83 + ".json"])
def test_the_longest_names_can_be_staged(tmp_path: Path, name: str) -> None:
    assert aside_of(tmp_path / name).suffix == Path(name).suffix
    with staged_file(tmp_path / name) as aside:
        aside.touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "out") as out:
        (out / "old").touch()
    with suppress(KeyError), staged_folder(tmp_path / "out") as out:
        (out / "half").touch()
        raise KeyError
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["old"]
    with staged_folder(tmp_path / "out") as out:
        (out / "new").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["out", "out/new"]
