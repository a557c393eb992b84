"""The NVIDIA driver: its version, the newest CUDA that it runs, and its GPUs."""

from __future__ import annotations

import ctypes
import re
import subprocess
from dataclasses import dataclass

Version = tuple[int, int]
_SECONDS = 20.0
"""Longest wait for nvidia-smi: a driver that hangs must not take the doctor with it."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What the driver says. `cuda`: the newest version whose programs it runs."""

    cuda: Version
    version: str = ""
    gpus: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f"NVIDIA driver {self.version}" if self.version else "NVIDIA driver"
        return f"{named}, CUDA up to {dotted(self.cuda)}"


def read_driver() -> Driver | None:
    """The machine's driver, None if there is none. Containers may have its library without nvidia-smi."""
    return _from_tool() or _from_library()


def dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _from_tool() -> Driver | None:
    try:
        done = subprocess.run(
            ["nvidia-smi", "-q", "-x"],  # noqa: S607 - wherever the driver's package put it
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    cuda = re.search(r"<cuda_version>(\d+)\.(\d+)</cuda_version>", done.stdout)
    version = re.search(r"<driver_version>([\d.]+)</driver_version>", done.stdout)
    if cuda is None:
        return None
    gpus = re.findall(r"<product_name>([^<]+)</product_name>", done.stdout)
    return Driver((int(cuda[1]), int(cuda[2])), version[1] if version else "", tuple(gpus))


def _from_library() -> Driver | None:
    number = ctypes.c_int()
    try:
        failed = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(number))
    except (OSError, AttributeError):
        return None
    # 12040 is CUDA 12.4.
    return None if failed or not number.value else Driver((number.value // 1000, number.value % 1000 // 10))
