"""Environment variables that let Paddle use the processor's features. Measured in docs/figures.md."""

from __future__ import annotations

from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")


def cpu_environment(info: Path = CPU_INFO) -> dict[str, str]:
    """For a worker that computes on the CPU; `info` is Linux's description of the processors.

    Paddle's wheels contain a Math Kernel Library from 2019 that uses AVX2 on Intel processors only, and its
    slowest code on all others; its debug variable selects the code. And transposing into a new tensor at once
    is faster than a view that each later operator has to copy.
    """
    chosen = {"FLAGS_use_stride_kernel": "0"}
    if _is_amd_with_avx2(info):
        chosen["MKL_DEBUG_CPU_TYPE"] = "5"
    return chosen


def _is_amd_with_avx2(info: Path) -> bool:
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux, or hidden from this process
        return False
    fields = {key.strip(): value.split() for key, _, value in (line.partition(":") for line in lines)}
    return fields.get("vendor_id") == ["AuthenticAMD"] and "avx2" in fields.get("flags", [])
