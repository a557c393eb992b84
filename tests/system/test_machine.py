"""What the machine gives: read from made-up roots of both cgroup versions, and under a real group."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from maskdet.system.cgroup import cpu_quota, memory_grants
from maskdet.system.machine import core_count, disk_free, memory_available, memory_total

GIB = 2**30
V2_MOUNT = "30 23 0:26 {below} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
V1_MOUNTS = (
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 {below} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 {below} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
)
V1_GROUPS = "4:memory:{path}\n3:cpuset:/\n2:cpu,cpuacct:{path}\n0::/"


def fake(root: Path, groups: str, mounts: str, files: Mapping[str, str]) -> Path:
    """A root folder with these files below sys/fs/cgroup."""
    texts = {"proc/self/cgroup": groups, "proc/self/mountinfo": mounts}
    texts |= {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


def v2(root: Path, files: Mapping[str, str], *, path: str = "/", below: str = "/") -> Path:
    return fake(root, f"0::{path}", V2_MOUNT.format(below=below), files)


def v1(root: Path, files: Mapping[str, str], *, path: str = "/", below: str = "/") -> Path:
    return fake(root, V1_GROUPS.format(path=path), V1_MOUNTS.format(below=below), files)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 64),
        ("50000 100000", 1),
        ("150000 100000", 2),
        ("200000 100000", 2),
        ("6400000 50000", 64),
    ],
)
def test_a_quota_bounds_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert core_count(v2(tmp_path, {"cpu.max": quota})) == cores


def test_without_groups_the_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 7}, raising=False)
    assert core_count(tmp_path) == 3
    assert memory_grants(tmp_path) == []


def test_the_tightest_level_counts(tmp_path: Path) -> None:
    files = {"a/b/cpu.max": "max 100000", "a/cpu.max": "125000 50000", "cpu.max": "800000 100000"}
    assert cpu_quota(v2(tmp_path, files, path="/a/b")) == 2.5


@pytest.mark.parametrize("text", ["-1", "0", "junk", ""])
def test_version_1_without_a_quota(tmp_path: Path, text: str) -> None:
    files = {"cpu,cpuacct/cpu.cfs_quota_us": text, "cpu,cpuacct/cpu.cfs_period_us": "100000"}
    assert cpu_quota(v1(tmp_path, files)) is None


@pytest.mark.parametrize("below", ["/docker/f00", "/elsewhere"])
def test_a_container_that_sees_its_own_part_only(tmp_path: Path, below: str) -> None:
    files = {
        "cpu,cpuacct/cpu.cfs_quota_us": "250000",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": str(2 * GIB),
        "memory/memory.usage_in_bytes": str(GIB),
        "memory/memory.stat": f"cache 5\ninactive_file 7\ntotal_inactive_file {GIB // 2}",
    }
    root = v1(tmp_path, files, path="/docker/f00", below=below)
    assert cpu_quota(root) == 2.5
    [grant] = memory_grants(root)
    assert (grant.limit, grant.left) == (2 * GIB, 3 * GIB // 2)


def test_memory_of_version_2(tmp_path: Path) -> None:
    files = {
        "app/memory.max": str(GIB),
        "app/memory.high": str(GIB // 2),
        "app/memory.current": str(GIB // 4),
        "app/memory.stat": f"anon 1\ninactive_file {GIB // 8}",
        "memory.max": "max",
    }
    root = v2(tmp_path, files, path="/app")
    assert memory_total(root) == GIB // 2
    assert memory_available(root) == GIB // 2 - GIB // 8


def test_more_used_than_granted_leaves_nothing(tmp_path: Path) -> None:
    root = v2(tmp_path, {"memory.max": str(GIB), "memory.current": str(2 * GIB)})
    assert memory_available(root) == 0


def test_a_limit_beyond_the_machine_does_not_count(tmp_path: Path) -> None:
    root = v1(tmp_path / "huge", {"memory/memory.limit_in_bytes": "9223372036854771712"})
    assert memory_total(root) == memory_total(tmp_path / "none")


def test_disk_of_a_folder_yet_to_be_made(tmp_path: Path) -> None:
    assert disk_free(tmp_path / "deep" / "runs") > 0


@pytest.fixture
def group() -> Iterator[list[Path]]:
    """The folders of a real control group of 0.8 cores and 512 MiB."""
    root, name = Path("/sys/fs/cgroup"), f"maskdet-test-{os.getpid()}"
    if (root / "cgroup.controllers").is_file():
        limits = {root / name: {"cpu.max": "80000 100000", "memory.max": str(GIB // 2)}}
    else:
        limits = {
            root / "cpu" / name: {"cpu.cfs_quota_us": "80000"},
            root / "memory" / name: {"memory.limit_in_bytes": str(GIB // 2)},
        }
    made: list[Path] = []
    try:
        for folder, files in limits.items():
            folder.mkdir()
            made.append(folder)
            for file, text in files.items():
                (folder / file).write_text(text)
        yield made
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    finally:
        for folder in made:
            folder.rmdir()


def test_a_real_group_is_respected(group: list[Path]) -> None:
    enter = "".join(f"echo $$ > {folder}/cgroup.procs; " for folder in group)
    tell = "from maskdet.system.machine import *; print(core_count(), memory_total(), memory_available())"
    done = subprocess.run(
        ["sh", "-ec", f'{enter} exec "$@"', "sh", sys.executable, "-c", tell],
        capture_output=True,
        text=True,
        check=True,
    )
    cores, total, available = map(int, done.stdout.split())
    assert cores == 1
    assert total == GIB // 2
    assert 0 < available < total
