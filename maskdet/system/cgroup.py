"""What a Linux control group grants: processor time and memory, in version 1 and 2 of the interface.

Containers and services are limited by control groups, which neither processor affinity nor
/proc/meminfo shows. Limits hold for all groups from a process's own up to the root, so each level is read.
The files: docs.kernel.org, admin-guide/cgroup-v2, admin-guide/cgroup-v1/memory and scheduler/sched-bwc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path("/")
_UNIFIED = "cgroup2"


@dataclass(frozen=True, slots=True)
class MemoryGrant:
    """Bytes: the `limit` of one group, and what is left of it once file caches are dropped."""

    limit: int
    left: int


def cpu_quota(root: Path = ROOT) -> float | None:
    """Processors' worth of time that the tightest group grants, such as 1.5; None where none is limited."""
    quotas = [_quota_v2(folder) for folder in _levels(root, _UNIFIED, "")]
    quotas += [_quota_v1(folder) for folder in _levels(root, "cgroup", "cpu")]
    return min((quota for quota in quotas if quota is not None), default=None)


def memory_grants(root: Path = ROOT) -> list[MemoryGrant]:
    """One for each group that limits memory, the process's own first."""
    grants = [_memory_v2(folder) for folder in _levels(root, _UNIFIED, "")]
    grants += [_memory_v1(folder) for folder in _levels(root, "cgroup", "memory")]
    return [grant for grant in grants if grant is not None]


def _levels(root: Path, kind: str, controller: str) -> Iterator[Path]:
    """Folders of a hierarchy, from the process's own group up to the mount point."""
    group = _group(root, controller)
    mount = _mount(root, kind, controller)
    if group is None or mount is None:
        return
    top, below = mount
    # In a container the group may be named as the host sees it, with only part of the tree mounted.
    inside = group.relative_to(below) if group.is_relative_to(below) else PurePosixPath()
    for part in (inside, *inside.parents):
        yield top / part


def _group(root: Path, controller: str) -> PurePosixPath | None:
    """The process's group: `4:memory:/path`, or `0::/path` in version 2."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return PurePosixPath(path)
    return None


def _mount(root: Path, kind: str, controller: str) -> tuple[Path, PurePosixPath] | None:
    """Where a hierarchy is mounted, and which group of it is seen there (proc(5), mountinfo)."""
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        below, place = before.split()[3:5]
        found, _, options = after.split(" ", 2)
        if found == kind and (not controller or controller in options.split()[-1].split(",")):
            return root / place.lstrip("/"), PurePosixPath(below)
    return None


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period else None


def _memory_v2(folder: Path) -> MemoryGrant | None:
    # Above memory.high a group is throttled until it is useless, so it counts as a limit as well.
    limits = [_number(folder / name) for name in ("memory.max", "memory.high")]
    return _grant(limits, _number(folder / "memory.current"), _cached(folder, "inactive_file"))


def _memory_v1(folder: Path) -> MemoryGrant | None:
    limits = [_number(folder / "memory.limit_in_bytes")]
    return _grant(limits, _number(folder / "memory.usage_in_bytes"), _cached(folder, "total_inactive_file"))


def _grant(limits: list[int | None], used: int | None, cached: int) -> MemoryGrant | None:
    limit = min((limit for limit in limits if limit is not None), default=None)
    if limit is None:
        return None
    return MemoryGrant(limit, max(0, limit - max(0, (used or 0) - cached)))


def _cached(folder: Path, key: str) -> int:
    """Bytes of inactive file cache, which the kernel drops before memory runs out."""
    fields = (line.split() for line in _lines(folder / "memory.stat"))
    return next((int(field[1]) for field in fields if field[0] == key), 0)


def _number(path: Path) -> int | None:
    """None for a missing file, "max" and -1, all of which mean no limit."""
    text = _text(path)
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    return "\n".join(_lines(path))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # another system, a group that is gone, or hidden from this process
        return []
