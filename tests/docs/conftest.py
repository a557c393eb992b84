"""The pages of the repository, and what the site makes of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from trained import REPO

SITE = REPO / "scripts" / "docs_site"


@pytest.fixture(scope="session")
def site() -> Iterator[Any]:
    """Imports modules of scripts/docs_site."""
    sys.path.insert(0, str(SITE))
    yield import_module
    sys.path.remove(str(SITE))


@pytest.fixture(scope="session")
def markdown(site: Any) -> Any:
    """How pages are taken apart."""
    return site("pages")
