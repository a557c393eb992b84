"""Installed packages against the tested set."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Set
from importlib import import_module, metadata
from importlib.util import find_spec

from packaging.utils import canonicalize_name

from maskdet.pipeline.doctor.diagnosis import Diagnosis
from maskdet.pipeline.doctor.driver import Driver
from maskdet.pipeline.doctor.installs import onnxruntime_lines, paddle_lines
from maskdet.pipeline.doctor.lock import lock_path, pinned_versions

PYTHONS = ((3, 10), (3, 12))
"""First and last tested."""
MAX_NAMED = 12
"""Packages named in one line."""
# Other versions of these are known to break training, export or both; for the rest a note is enough.
_EXACT = frozenset({"paddlepaddle", "paddledet", "paddle2onnx", "onnx", "numpy", "setuptools"})
_GPU_BUILDS = {"paddlepaddle": "paddlepaddle-gpu", "onnxruntime": "onnxruntime-gpu"}
"""Distributions that take the place of others; together, each has overwritten files of the other."""
_CLASHES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("opencv-python-headless", ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")),
    *((name, (build,)) for name, build in _GPU_BUILDS.items()),
    ("nvidia-cudnn-cu13", ("nvidia-cudnn-cu12",)),
)
"""Distributions that write the same files: whichever was installed last leaves a mixture."""
_RUNTIME_MODULES = (
    "cv2",
    "onnxruntime",
    "lxml.etree",
    "PIL.Image",
    "matplotlib",
    "fastapi",
    "uvicorn",
)


def check_packages(driver: Driver | None, *, training: bool = True) -> Iterator[Diagnosis]:
    """Python, then missing, differing, clashing and unloadable packages, for a machine with this driver.

    Without `training`, none is missing that loads, and none has to be of one version.
    """
    yield _python()
    lock = lock_path()
    install = f'pip install --no-deps -r "{lock}"'
    tested, installed = pinned_versions(lock), installed_versions()
    if not installed.keys().isdisjoint(_GPU_BUILDS.values()):
        install += ", then the GPU builds again: see the next `maskdet doctor`"
    if training:
        yield from compare_versions(tested, installed, install)
    else:
        present = {name: version for name, version in tested.items() if name in installed}
        yield from compare_versions(present, installed, install, exact=frozenset())
    yield from clashes(installed, driver)
    yield from _imports()


def installed_versions() -> dict[str, str]:
    """Canonical package name → version, of all that this interpreter finds."""
    found = ((each.metadata["Name"], each.version) for each in metadata.distributions())
    return {canonicalize_name(name): version for name, version in found if name}


def compare_versions(
    tested: Mapping[str, str], installed: Mapping[str, str], install: str, exact: Set[str] = _EXACT
) -> Iterator[Diagnosis]:
    """`install` is the command line that installs the tested set; another version of the `exact` ones is a
    fault. GPU builds count as what they replace.
    """
    builds = {name: installed[build] for name, build in _GPU_BUILDS.items() if build in installed}
    installed = {**builds, **installed}
    missing = sorted(tested.keys() - installed.keys())
    differing = [name for name in sorted(tested) if installed.get(name, tested[name]) != tested[name]]
    grave = [name for name in differing if name in exact]
    slight = [name for name in differing if name not in exact]
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


def clashes(installed: Mapping[str, str], driver: Driver | None) -> Iterator[Diagnosis]:
    """Installed packages that overwrite each other's files; the remedy depends on the driver."""
    for kept, others in _CLASHES:
        for other in others:
            if kept in installed and other in installed:
                what = f"{kept} and {other} overwrite each other's files"
                yield Diagnosis("fault", "packages", what, _remedy(kept, other, installed, driver))


def _remedy(kept: str, other: str, installed: Mapping[str, str], driver: Driver | None) -> str:
    if kept.startswith("nvidia"):
        return "give Paddle, which needs CUDA 12, an environment of its own, and name it in train.python"
    if driver is not None and kept == "onnxruntime":
        return onnxruntime_lines(driver)
    if driver is not None and kept == "paddlepaddle":
        return paddle_lines(driver)
    return f"pip uninstall -y {other} {kept}, then pip install --no-deps {kept}=={installed[kept]}"


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
