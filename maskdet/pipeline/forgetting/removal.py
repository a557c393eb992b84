"""Carrying a plan out: the files go, and one line with hashes stays."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from maskdet.dataset.splitting.frozen import read_frozen
from maskdet.dataset.unlabelled import read_unlabelled
from maskdet.errors import MaskdetError
from maskdet.inbox.audit import AuditLog
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.naming import NAME_LENGTH
from maskdet.pipeline.forgetting.places import Places, annotation_of
from maskdet.pipeline.forgetting.plan import Plan
from maskdet.system.times import time_text

LOG: Final = "forgotten.jsonl"


def is_needed(plan: Plan, places: Places) -> bool:
    """Whether there is anything to remove or to note: what a version has seen is noted once, so that no later
    version keeps more of it than its sha256.
    """
    unnoted = bool(plan.seen) and not forgotten(places.runs).issuperset(plan.hashes)
    return unnoted or bool(plan.pictures or plan.results or plan.lists)


def remove(plan: Plan, places: Places, *, by: str) -> int:
    """Remove the files of a plan; returns their number. Raises MaskdetError naming a file that stays.

    The line is written first, and drawings go before pictures: a kill in between leaves pictures that the
    next call finds again.
    """
    places.runs.mkdir(parents=True, exist_ok=True)
    _log(places.runs).write(
        "forgotten", sha256=list(plan.hashes), by=by, models=list(plan.seen), files=len(plan.pictures)
    )
    count = sum(_unlinked(one.path) for one in plan.results)
    names = {one.sha256[:NAME_LENGTH] for one in plan.pictures}
    for folder in places.inboxes:
        inbox = Inbox(folder)
        count += len(inbox.remove([one.name for one in inbox.records() if one.name in names], "forgotten"))
    for picture in plan.pictures:
        count += _unlinked(picture.path)
        _unlinked(annotation_of(picture.path))
    _forget_likeness(plan, places)
    _forget_faces(plan, places)
    return count


def _forget_likeness(plan: Plan, places: Places) -> None:
    """In the file of data.frozen_val."""
    if places.frozen_val is None:
        return
    frozen = read_frozen(places.frozen_val)
    left = frozen.without_likeness(plan.hashes)
    if left != frozen:
        left.write(places.frozen_val)


def _forget_faces(plan: Plan, places: Places) -> None:
    """In the file of data.unlabelled."""
    if places.unlabelled is None or not places.unlabelled.is_file():
        return
    noted = read_unlabelled(places.unlabelled)
    left = noted.without(plan.hashes)
    if left != noted:
        left.write(places.unlabelled)


def forgotten(runs: Path) -> frozenset[str]:
    """sha256 of all pictures that were removed here, and of those that looked like them."""
    found = (line.get("sha256") for line in _log(runs).lines())
    return frozenset(str(one) for digests in found if isinstance(digests, list) for one in digests)


def _log(runs: Path) -> AuditLog:
    # Each line is the only proof of a removal, and keeps the picture out of later versions.
    return AuditLog(runs, LOG, keeps_all=True)


def older_than(places: Places, when: datetime) -> list[str]:
    """sha256 of the pictures that came into an inbox before a time, whatever their state."""
    limit = time_text(when)
    records = (record for folder in places.inboxes for record in Inbox(folder).records())
    return [record.sha256 for record in records if record.at < limit]


def _unlinked(path: Path) -> int:
    try:
        path.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise MaskdetError(
            f"{path} could not be removed: {error.strerror}", "remove it by hand, or run the command again"
        ) from error
    return 1
