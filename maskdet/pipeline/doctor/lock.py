"""The tested set of packages: the lock that ships with maskdet, read for this Python and system."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

import maskdet
from maskdet.errors import EnvironmentProblem

_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)\s*(?:;\s*(?P<marker>[^\\]+?))?\s*\\?$"
)


def lock_path() -> Path:
    """The training lock: inside the installed package, or in the source tree it runs from.

    Raises EnvironmentProblem if it is in neither place.
    """
    package = Path(maskdet.__file__).parent
    for candidate in (package / "requirements" / "train.txt", package.parent / "requirements" / "train.txt"):
        if candidate.is_file():
            return candidate
    raise EnvironmentProblem("the training lock is missing from this installation", "install maskdet again")


def pinned_versions(lock: Path) -> dict[str, str]:
    """Canonical package name → tested version, without those for other Pythons and systems."""
    pins = (_PIN.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(pin["name"]): pin["version"] for pin in pins if pin and _applies(pin["marker"])}


def _applies(marker: str | None) -> bool:
    return marker is None or Marker(marker).evaluate()
