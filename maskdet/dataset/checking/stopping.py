"""When the errors of a data set stop a verb, and what it says then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from maskdet.dataset.findings import Finding, bounded, by_severity, counts
from maskdet.errors import DatasetError

SHOWN: Final = 60
"""Errors, and as many notices, that are listed individually on a failure."""
_OF_A_KIND: Final = 3
"""Notices of one kind on a screen; report.md has more."""


def stop_on_errors(places: str, findings: Sequence[Finding], *, skip_bad: bool) -> None:
    """Raise DatasetError, with one line per fault, for errors that `skip_bad` does not drop."""
    errors = by_severity(findings, "error")
    stopping = [error for error in errors if not skip_bad or error.drops == "nothing"]
    if stopping:
        kinds = counts(Counter(error.code for error in stopping))
        number = f"{len(stopping)} error" + ("s" if len(stopping) > 1 else "")
        raise DatasetError(f"{places}: {number} ({kinds})", _hint(stopping), fault_lines(stopping, findings))


def fault_lines(errors: Sequence[Finding], findings: Sequence[Finding]) -> list[str]:
    """The errors, then all notices, so that no second run is needed to see those."""
    notices = [f for f in by_severity(findings, "notice") if f.code != "picture-emptied"]
    lines = [f"error: {line}" for line in bounded(errors, SHOWN)]
    return lines + [f"notice: {line}" for line in notice_lines(notices)]


def notice_lines(notices: Sequence[Finding]) -> list[str]:
    """Notices for a screen: a few of each kind, and last those that ask the user something."""
    asking = [notice for notice in notices if notice.code == "role-unknown"]
    others = [notice for notice in notices if notice.code != "role-unknown"]
    return bounded(others, SHOWN, _OF_A_KIND) + bounded(asking, SHOWN)


def _hint(stopping: Sequence[Finding]) -> str:
    if all(error.drops == "nothing" for error in stopping):
        return "fix them; --skip-bad does not help here, as whole folders would be lost"
    folders = any(error.drops == "nothing" for error in stopping)
    also = "; nested folders have to be fixed either way" if folders else ""
    kept = " (boxes are cut at the edge, faces of a doubtful class ignored)" if _keeps(stopping) else ""
    return f"fix them, or drop the bad items with --skip-bad{kept}{also}"


def _keeps(stopping: Sequence[Finding]) -> bool:
    return any(error.fate != "dropped" for error in stopping)
