"""Which process it is, whatever its name holds and the clock says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from clock_step import set_clock

from maskdet.system.process_start import process_start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the ticks since its boot")


def test_ticks_are_found_behind_a_name_of_blanks_and_parentheses(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 (b"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as process:
        boot, ticks = process_start(process.pid).split()
        since_boot = psutil.Process(process.pid).create_time() - psutil.boot_time()
        process.kill()
    assert len(boot) == 36
    assert int(ticks) / os.sysconf("SC_CLK_TCK") == pytest.approx(since_boot, abs=2)


def test_no_change_of_the_clock_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = process_start(os.getpid())
    set_clock(monkeypatch, -7200)
    assert process_start(os.getpid()) == before


def test_another_boot_is_another_process(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "sys/kernel/random").mkdir(parents=True)
    (proc / "7").mkdir()
    (proc / "7" / "stat").write_bytes(Path("/proc/self/stat").read_bytes())
    found = set()
    for boot in ("first", "second"):
        (proc / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
        found.add(process_start(7, tmp_path))
    assert len(found) == 2


def test_a_process_that_is_not_there_has_no_start() -> None:
    with pytest.raises(psutil.NoSuchProcess):
        process_start(2**22 + 1)


def test_without_proc_it_is_what_the_system_tells(tmp_path: Path) -> None:
    assert process_start(os.getpid(), tmp_path) == str(psutil.Process().create_time())
