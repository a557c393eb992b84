"""What is said about a move of an alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskdet.registry.records import Move


def moved(model: str, move: Move) -> None:
    """Print a move, and how to undo it."""
    from maskdet.cli.console import print_lines

    if move.before == move.after:
        print_lines([f"{move.alias} of {model} points to version {move.after} already"])
        return
    before = f"version {move.before}" if move.before else "nothing"
    print_lines([f"{move.alias} of {model}: {before} → version {move.after}, by {move.by}"])
    if move.before:
        print_lines([f"`maskdet models rollback {model} --alias {move.alias}` goes back"])
