"""Removing old versions: never one that an alias points to or would go back to, or that is a parent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskdet.registry.change import Change, change
from maskdet.registry.history import tracks
from maskdet.registry.movement import earlier
from maskdet.registry.records import Pruned
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version, numbered_version
from maskdet.system.times import now_text


@dataclass(frozen=True, slots=True)
class Plan:
    """What pruning would remove, and why other old versions stay: reasons by number."""

    removed: tuple[Version, ...]
    kept: dict[int, str]


def prune(registry: Registry, model: str, keep: int, by: str, *, dry_run: bool) -> Plan:
    """Keep the newest `keep` versions and every protected one; remove the others unless `dry_run`.

    Raises RegistryError.
    """
    elsewhere = [one for name in registry.models() if name != model for one in registry.versions(name)]
    registry.versions(model)
    with change(registry.layout(model)) as changed:
        plan = _plan(changed, keep, elsewhere)
        for version in () if dry_run else plan.removed:
            changed.record(Pruned(at=now_text(), by=by, number=version.number, bundle=version.record.bundle))
            changed.remove(version.number)
    return plan


def _plan(changed: Change, keep: int, elsewhere: Sequence[Version]) -> Plan:
    versions = [numbered_version(changed.layout, number) for number in changed.layout.numbers()]
    old = versions[: max(0, len(versions) - keep)]
    stays = [*elsewhere, *versions[len(old) :]]
    protected = _protected(changed)
    # From the newest down: a version that stays protects its parent.
    kept: dict[int, str] = {}
    for version in reversed(old):
        reason = protected.get(version.number) or _parent_reason(version, stays)
        if reason:
            kept[version.number] = reason
            stays = [*stays, version]
    return Plan(tuple(one for one in old if one.number not in kept), kept)


def _protected(changed: Change) -> dict[int, str]:
    numbers = changed.layout.numbers()
    found = {}
    for alias in tracks(changed.events):
        back = earlier(changed.events, alias, numbers)
        if back is not None:
            found[back] = f"a rollback of {alias} would return to it"
    return {**found, **{number: f"it is {alias}" for alias, number in changed.layout.targets().items()}}


def _parent_reason(version: Version, stays: Sequence[Version]) -> str:
    children = [one for one in stays if one.record.lineage.parent == version.reference]
    return f"it is the parent of {', '.join(sorted(one.reference for one in children))}" if children else ""
