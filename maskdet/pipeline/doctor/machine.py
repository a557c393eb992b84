"""The machine: cores, memory, fonts, and where results go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

from maskdet.pipeline.doctor.diagnosis import Diagnosis
from maskdet.system.machine import core_count, disk_free, memory_available, memory_total

LEAST_MEMORY = 4 * 2**30
"""Bytes below which a training of the default size may not fit: 3.2 GB were measured."""
_CHINESE = "口罩"


def check_machine(runs: Path) -> Iterator[Diagnosis]:
    """`runs` is the results folder."""
    yield _cores()
    yield _memory()
    yield from _fonts()
    yield _writable(runs)


def _cores() -> Diagnosis:
    return Diagnosis("ok", "CPU", f"{core_count()} of {os.cpu_count()} cores usable")


def _memory() -> Diagnosis:
    available = memory_available()
    text = f"{available / 2**30:.1f} of {memory_total() / 2**30:.1f} GiB free"
    if available < LEAST_MEMORY:
        return Diagnosis("note", "memory", text, "lower train.batch_size if training runs out of memory")
    return Diagnosis("ok", "memory", text)


def _fonts() -> Iterator[Diagnosis]:
    if find_spec("matplotlib") is None:
        return
    from maskdet.dataset.report.fonts import typeface

    face = typeface()
    if face.has(_CHINESE):
        yield Diagnosis("ok", "fonts", f"Chinese labels are drawn with {face.families[-1]}")
    else:
        hint = "install fonts-noto-cjk, or the like, to see Chinese labels in plots"
        yield Diagnosis("note", "fonts", "no font with Chinese characters", hint)


def _writable(runs: Path) -> Diagnosis:
    place = next(folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.exists())
    try:
        with TemporaryFile(dir=place):
            return Diagnosis(
                "ok", "results", f"{runs} can be written, {disk_free(place) / 2**30:.1f} GiB free"
            )
    except OSError as error:
        hint = "choose another folder with --runs-dir, or fix its permissions"
        return Diagnosis("fault", "results", f"{place} cannot be written: {error.strerror}", hint)
