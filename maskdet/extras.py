"""Packages that only some commands need. Each belongs to an extra: `pip install "maskdet[EXTRA]"`."""

from __future__ import annotations

from importlib.util import find_spec

from maskdet.errors import EnvironmentProblem


def install_hint(extra: str) -> str:
    """The command line that installs an extra; in double quotes, which every shell understands."""
    return f'`pip install "maskdet[{extra}]"`'


def require(extra: str, *modules: str, asks: str, otherwise: str = "") -> None:
    """Raise EnvironmentProblem for the first module that is not installed.

    asks: who needs it, such as "prepare needs"; otherwise: what to do instead of installing it.
    """
    for module in modules:
        if find_spec(module) is None:
            hint = install_hint(extra) + (f", or {otherwise}" if otherwise else "")
            raise EnvironmentProblem(f"{asks} {module}, which is not installed", hint)
