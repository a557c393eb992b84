from __future__ import annotations

from collections.abc import Callable

import pytest
from gates_val import Val, paint_val

from maskdet.gates.report import GateReport


@pytest.fixture(scope="session")
def val(tmp_path_factory: pytest.TempPathFactory) -> Val:
    """60 pictures with two masked and two bare faces each."""
    return paint_val(tmp_path_factory.mktemp("val"))


@pytest.fixture
def ruled() -> Callable[[GateReport], dict[str, str]]:
    """Verdict by gate."""
    return lambda report: {ruling.name: ruling.verdict for ruling in report.rulings}
