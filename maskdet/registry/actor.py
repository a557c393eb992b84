"""Who changes the registry: a CI job's actor, else the user of this machine."""

from __future__ import annotations

import getpass
import os
from typing import Final

_CI_VARIABLES: Final = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")


def actor() -> str:
    """The name for the record, never empty."""
    for variable in _CI_VARIABLES:
        if name := os.environ.get(variable):
            return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
