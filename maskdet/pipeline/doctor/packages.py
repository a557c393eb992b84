"""Installed packages against the tested set."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module, metadata
from importlib.util import find_spec

from packaging.utils import canonicalize_name

from maskdet.pipeline.doctor.diagnosis import Diagnosis
from maskdet.pipeline.doctor.lock import lock_path, pinned_versions

PYTHONS = ((3, 10), (3, 12))
"""First and last tested."""
MAX_NAMED = 12
"""Packages named in one line."""
# Other versions of these are known to break training, export or both; for the rest a note is enough.
_EXACT = frozenset({"paddlepaddle", "paddledet", "paddle2onnx", "onnx", "numpy", "setuptools"})
# Two distributions that write the same files: whichever was installed last leaves a mixture.
_CLASHES = (
    ("opencv-python-headless", ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")),
    ("paddlepaddle", ("paddlepaddle-gpu",)),
)
_RUNTIME_MODULES = (
    "cv2",
    "onnxruntime",
    "lxml.etree",
    "PIL.Image",
    "matplotlib",
    "fastapi",
    "uvicorn",
)


def check_packages() -> Iterator[Diagnosis]:
    """Python, then missing, differing, clashing and unloadable packages."""
    yield _python()
    lock = lock_path()
    install = f'pip install --no-deps -r "{lock}"'
    tested, installed = pinned_versions(lock), installed_versions()
    yield from compare_versions(tested, installed, install)
    yield from _clashes(installed)
    yield from _imports()


def installed_versions() -> dict[str, str]:
    """Canonical package name → version, of all that this interpreter finds."""
    found = ((each.metadata["Name"], each.version) for each in metadata.distributions())
    return {canonicalize_name(name): version for name, version in found if name}


def compare_versions(
    tested: Mapping[str, str], installed: Mapping[str, str], install: str
) -> Iterator[Diagnosis]:
    """`install` is the command line that installs the tested set."""
    missing = sorted(tested.keys() - installed.keys())
    differing = [name for name in sorted(tested) if installed.get(name, tested[name]) != tested[name]]
    grave = [name for name in differing if name in _EXACT]
    slight = [name for name in differing if name not in _EXACT]
    if missing:
        yield Diagnosis(
            "fault", "packages", f"missing: {_named(missing)}", f"{install} (needed for training and export)"
        )
    if grave:
        yield Diagnosis(
            "fault",
            "packages",
            f"untested, and known to matter: {_versions(grave, tested, installed)}",
            install,
        )
    if slight:
        yield Diagnosis("note", "packages", f"untested: {_versions(slight, tested, installed)}", install)
    if not missing and not differing:
        yield Diagnosis("ok", "packages", f"all {len(tested)} in their tested versions")


def _python() -> Diagnosis:
    version = ".".join(map(str, sys.version_info[:3]))
    first, last = PYTHONS
    if first <= sys.version_info[:2] <= last:
        return Diagnosis("ok", "Python", f"{version} at {sys.executable}")
    span = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    return Diagnosis("fault", "Python", f"{version} is untested", f"use Python {span}")


def _clashes(installed: Mapping[str, str]) -> Iterator[Diagnosis]:
    for kept, others in _CLASHES:
        for other in others:
            if kept in installed and other in installed:
                yield Diagnosis(
                    "fault",
                    "packages",
                    f"{kept} and {other} overwrite each other's files",
                    f"pip uninstall -y {other} {kept}, then pip install --no-deps {kept}=={installed[kept]}",
                )


def _imports() -> Iterator[Diagnosis]:
    for name in _RUNTIME_MODULES:
        # What is not installed at all is reported by its package's name.
        if find_spec(name.partition(".")[0]) is not None and (fault := _loading_fault(name)):
            yield Diagnosis(
                "fault", "packages", f"{name} does not load: {fault}", "install its package again"
            )


def _loading_fault(name: str) -> str:
    try:
        import_module(name)
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything on import
        return f"{type(error).__name__}: {error}"
    return ""


def _named(names: list[str]) -> str:
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown


def _versions(names: list[str], tested: Mapping[str, str], installed: Mapping[str, str]) -> str:
    return _named([f"{name} {installed[name]} (tested {tested[name]})" for name in names])
