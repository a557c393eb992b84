"""What commands show: tables, progress and errors. Without a terminal there are only plain lines."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from rich import cells as measure
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from maskdet.api.display import console_on
from maskdet.errors import DatasetError, MaskdetError
from maskdet.pipeline.running.outcome import StageOutcome, State
from maskdet.system.times import duration

_STYLES = {
    State.RAN: "green",
    State.UP_TO_DATE: "dim",
    State.SKIPPED: "dim",
    State.NOT_REACHED: "dim",
    State.FAILED: "bold red",
    State.WOULD_RUN: "yellow",
    State.MAY_RUN: "yellow",
}


def standard_output() -> Console:
    """For results. Text is shown as it is: file names may look like markup."""
    return console_on(sys.stdout)


def standard_error() -> Console:
    """For errors, and for progress where the result itself goes to standard output."""
    return console_on(sys.stderr)


def json_output() -> TextIO:
    """Standard output for a program that reads line by line: each at once, and in UTF-8 in every locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name of another encoding comes back from JSON as Python knows it.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return sys.stdout


def print_error(error: MaskdetError, also: str = "") -> None:
    """`error: ...` and `next: ...`, on standard error. `also` is the command that resumes from here."""
    console = standard_error()
    _labelled(console, "error", "bold red", error.what)
    for fault in error.faults if isinstance(error, DatasetError) else ():
        console.print(Text(f"  {fault}"), soft_wrap=True)
    for hint in filter(None, (error.hint, also)):
        _labelled(console, "next", "bold", hint)


def print_notes(lines: Iterable[str]) -> None:
    """`note: ...` for each line, on standard error: worth knowing, but not an error."""
    console = standard_error()
    for line in lines:
        _labelled(console, "note", "bold", line)


def shown(path: Path) -> str:
    """The path as the user would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def print_lines(lines: Iterable[str], console: Console | None = None) -> None:
    """Lines, unwrapped, to standard output unless a console is given."""
    console = console or standard_output()
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table to standard output; the last column takes the remaining width."""
    table = Table(*headings, box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns[:-1]:
        column.no_wrap = True
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    for column in table.columns[:-1]:
        # Rather lines beyond the terminal's edge than a lost column or half a figure.
        column.min_width = max(measure.cell_len(str(cell)) for cell in (column.header, *column.cells))
    console = standard_output()
    least = Measurement.get(console, console.options.update(width=10_000), table).minimum
    console.width = max(console.width, least)
    console.print(table, crop=False)


def print_outcomes(outcomes: Iterable[StageOutcome]) -> None:
    """The table at the end of a run: stage, state, time, key figure."""
    print_table(("stage", "state", "time", "key figure"), map(_row, outcomes))


def _row(outcome: StageOutcome) -> tuple[str | Text, ...]:
    state = Text(outcome.state.value, style=_STYLES[outcome.state])
    time = duration(outcome.seconds) if outcome.state in (State.RAN, State.FAILED) else ""
    return outcome.stage, state, time, outcome.figure or outcome.reason


def _labelled(console: Console, label: str, style: str, text: str) -> None:
    console.print(Text.assemble((f"{label}: ", style), text), soft_wrap=True)
