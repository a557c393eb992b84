"""What differs between two versions: figures, lineage, settings and pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from maskdet.registry.records import SHORT
from maskdet.registry.registry import Registry
from maskdet.registry.summary import verdict_of
from maskdet.registry.version import Version

_WIDEST: Final = 60
_TOLD: Final = ("source", "parent", "start", "data_sha256", "checkpoint_sha256")
"""Fields of the lineage that are compared as they are."""


@dataclass(frozen=True, slots=True)
class PictureChange:
    """How many pictures only the second version has seen, only the first one, and both."""

    added: int
    removed: int
    shared: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs; None where a version does not have it."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences of two versions; `pictures` is None if those of one are unknown."""

    first: str
    second: str
    metrics: tuple[Difference, ...]
    lineage: tuple[Difference, ...]
    settings: tuple[Difference, ...]
    pictures: PictureChange | None

    def rows(self) -> list[tuple[str, str, str]]:
        """Cells of a table: what, the first version's value, the second one's."""
        figures = [(one.name, _shown(one.first), _figure(one)) for one in self.metrics]
        others = [*self.lineage, *self.settings]
        return [*figures, *((one.name, _shown(one.first), _shown(one.second)) for one in others)]

    def to_json(self) -> dict[str, Any]:
        """In plain JSON types."""
        return asdict(self)


def compare_versions(registry: Registry, first: Version, second: Version) -> Comparison:
    """Compare two versions, of one model or of two. Raises RegistryError if their pictures are damaged."""
    one, other = first.record.lineage, second.record.lineage
    return Comparison(
        first.reference,
        second.reference,
        _differences(one.metrics, other.metrics),
        _differences(_told(registry, first), _told(registry, second)),
        _differences(one.settings, other.settings),
        _picture_change(first, second),
    )


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[Difference, ...]:
    names = list({**first, **second})
    changed = (name for name in names if first.get(name) != second.get(name))
    return tuple(Difference(name, first.get(name), second.get(name)) for name in changed)


def _told(registry: Registry, version: Version) -> dict[str, Any]:
    lineage = version.record.lineage
    counts = {
        **_named("pictures", lineage.pictures),
        **_named("measured on", lineage.counts),
        **_named("code", lineage.code),
        **_named("gates", verdict_of(version, registry.history(version.model))),
    }
    return {**{name: getattr(lineage, name) for name in _TOLD}, **counts}


def _named(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}: {name}": value for name, value in values.items()}


def _picture_change(first: Version, second: Version) -> PictureChange | None:
    one, other = _seen(first), _seen(second)
    if not one or not other:
        return None
    return PictureChange(len(other - one), len(one - other), len(one & other))


def _seen(version: Version) -> set[str]:
    return {picture.sha256 for picture in version.pictures()}


def _figure(one: Difference) -> str:
    if one.first is None or one.second is None:
        return _shown(one.second)
    return f"{_shown(one.second)} ({one.second - one.first:+.4f})"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    short = text[:SHORT] if len(text) == 64 and text.isalnum() else text
    return short if len(short) <= _WIDEST else f"{short[: _WIDEST - 1]}…"
