"""`maskdet data forget`: remove a person's pictures from everything that maskdet keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maskdet.cli.options import Config, Overrides, Runs
from maskdet.cli.session import open_serving
from maskdet.pipeline.places import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from maskdet.pipeline.forgetting.plan import Plan

MAX_LISTED = 50
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def forget(
    picture: Annotated[
        str,
        typer.Argument(
            metavar="[PICTURE]",
            help="A picture's file, or at least 12 digits of its sha256.",
            show_default=False,
        ),
    ] = "",
    age: Annotated[
        str,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="All pictures that entered the inbox longer ago than this, such as 12h, 30d or 8w.",
            show_default=False,
        ),
    ] = "",
    inboxes: Annotated[
        list[Path] | None,
        typer.Option(
            "--inbox", metavar="DIR", help="A further inbox. Repeatable.", show_default="serve.inbox"
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Remove only the picture itself, not its near-duplicates.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    config: Config = None,
    overrides: Overrides = None,
    runs: Runs = RUNS,
) -> None:
    """Remove a picture and its near-duplicates from inboxes, data and results.

    First lists what goes and which registered models have seen it; removes it with --yes, or after asking
    on a terminal. runs/forgotten.jsonl keeps the hashes, and nothing else.
    """
    from datetime import datetime, timezone

    from maskdet.api.display import Display
    from maskdet.cli.console import print_lines, print_notes, standard_error
    from maskdet.errors import UsageError
    from maskdet.pipeline.forgetting.places import Places
    from maskdet.pipeline.forgetting.plan import Search
    from maskdet.pipeline.forgetting.removal import is_needed, older_than, remove
    from maskdet.registry.actor import actor

    if bool(picture) == bool(age):
        raise UsageError("name a picture, or an age", "`maskdet data forget PICTURE` or `--older-than 30d`")
    places = Places.of(open_serving(config, overrides or [], runs, named=True), tuple(inboxes or ()))
    with Display(standard_error()) as display:
        search = Search(places, lambda paths: display.track(list(paths), "reading pictures"))
    if picture:
        plan = search.picture(picture, alike=not exact)
    else:
        plan = search.hashes(older_than(places, datetime.now(timezone.utc) - _span(age)))
    print_lines(_told(plan))
    if not is_needed(plan, places):
        print_lines(["nothing to remove"])
    elif yes or _confirmed():
        print_lines([f"removed {remove(plan, places, by=actor())} files"])
    else:
        print_notes(["nothing was removed: add --yes"])


def _told(plan: Plan) -> Iterator[str]:
    from maskdet.cli.console import shown

    for number, found in enumerate(plan.pictures):
        if number < MAX_LISTED:
            yield f"picture  {shown(found.path)}{'' if found.exact else '  (looks like it)'}"
    if len(plan.pictures) > MAX_LISTED:
        yield f"... and {len(plan.pictures) - MAX_LISTED} more pictures"
    yield from _told_results(plan)
    yield from (f"list     {shown(path)} mentions it; at most the sha256 will remain" for path in plan.lists)
    for name, parts in plan.seen.items():
        yield (
            f"model    {name} was {parts} it: the model keeps what it has learnt; "
            "retrain it without this picture"
        )
    if plan.seen:
        yield (
            "registry their pictures.json keeps its sha256 and its perceptual hash, 20 x 20 grey levels: a "
            "version never changes, and its signature covers the file. `maskdet models prune` removes old "
            "versions; versions registered from now on keep the sha256 only"
        )
    for run in plan.val:
        yield (
            f"val      {run}: it is in the frozen val part; figures from before and after its removal are of "
            "different pictures"
        )


def _told_results(plan: Plan) -> Iterator[str]:
    from maskdet.cli.console import shown

    for result in plan.results[:MAX_LISTED]:
        why = "" if result.listed else "  (older than its run's manifest: it may show the picture)"
        yield f"result   {shown(result.path)}{why}"
    if len(plan.results) > MAX_LISTED:
        yield f"... and {len(plan.results) - MAX_LISTED} more results"


def _confirmed() -> bool:
    import sys

    return sys.stdin.isatty() and typer.confirm("Remove these files?")


def _span(age: str) -> timedelta:
    from datetime import timedelta

    from maskdet.errors import UsageError

    number, unit = age[:-1], age[-1:]
    if not number.isdecimal() or len(number) > 5 or unit not in _UNITS:
        raise UsageError(f"--older-than {age}: not an age", "such as 12h, 30d or 8w")
    return timedelta(**{_UNITS[unit]: int(number)})
