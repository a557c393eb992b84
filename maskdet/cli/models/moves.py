"""What is said about a move of an alias, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskdet.pipeline.running.stage import Context
    from maskdet.registry.records import Move
    from maskdet.registry.version import Version


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


def moved_back(model: str, move: Move) -> None:
    """Print a rollback."""
    from maskdet.cli.console import print_lines

    print_lines(
        [f"{move.alias} of {model}: version {move.before} → version {move.after} again, by {move.by}"]
    )


def tell_trackers(context: Context, version: Version, alias: str) -> None:
    """Move the alias in the trackers in use too; note what could not be moved there."""
    from maskdet.cli.console import print_notes
    from maskdet.pipeline.release.promotion import tell_trackers as told

    print_notes(told(context, version, alias))
