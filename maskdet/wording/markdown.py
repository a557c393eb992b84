"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: Collection[int] = (0,)) -> str:
    """A table; the columns `words` hold words, the others numbers. No text ends a cell or a line."""
    rule = ["---" if number in words else "---:" for number in range(len(headings))]
    return "\n".join(map(_line, (headings, rule, *rows)))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
