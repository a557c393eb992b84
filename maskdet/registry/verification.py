"""Whether a registry is as it was written: files, records, aliases and, on request, signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maskdet.errors import RegistryError
from maskdet.registry.history import pruned, read_history, registered
from maskdet.registry.layout import RECORD, Layout
from maskdet.registry.records import Event
from maskdet.registry.reference import Reference
from maskdet.registry.registry import Registry
from maskdet.registry.signing import check_signature
from maskdet.registry.version import numbered_version


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found out about a version, or about a model's history and aliases."""

    name: str
    faults: tuple[str, ...]
    signed: bool | None = None

    def describe(self) -> str:
        """The result in one line."""
        if self.faults:
            return f"{self.name}: {len(self.faults)} faults"
        return f"{self.name}: ok{', signed' if self.signed else ''}"

    def to_json(self) -> dict[str, Any]:
        """In plain JSON types."""
        return asdict(self)


def verify_registry(registry: Registry, text: str = "", key: Path | None = None) -> list[Verified]:
    """Check one version, one model, or everything; with a public key also each version's signature.

    Raises RegistryError if there is no such version, and EnvironmentProblem without the signing packages.
    """
    if text and text not in registry.models():
        version = registry.find(text)
        layout = registry.layout(version.model)
        return [_verified(layout, version.number, read_history(layout.history), key)]
    names = [text] if text else registry.models()
    return [one for name in names for one in _model(registry.layout(name), key)]


def _model(layout: Layout, key: Path | None) -> Iterator[Verified]:
    name = layout.folder.name
    try:
        events = read_history(layout.history)
        yield Verified(name, tuple(_model_faults(layout, events)))
    except RegistryError as error:
        yield Verified(name, (error.what,))
        events = ()
    for number in layout.numbers():
        yield _verified(layout, number, events, key)


def _verified(layout: Layout, number: int, events: tuple[Event, ...], key: Path | None) -> Verified:
    name = str(Reference(layout.folder.name, str(number)))
    try:
        version = numbered_version(layout, number)
    except RegistryError as error:
        return Verified(name, (error.what,))
    faults = list(version.faults())
    event = registered(events).get(number)
    try:
        if event is not None:
            version.check(RECORD, event.record)
        if key is not None:
            check_signature(version.bundle, key)
    except RegistryError as error:
        faults.append(error.what)
    return Verified(name, tuple(faults), version.signature is not None)


def _model_faults(layout: Layout, events: tuple[Event, ...]) -> Iterator[str]:
    numbers, gone = set(layout.numbers()), pruned(events)
    for number in sorted(registered(events).keys() - numbers - gone):
        yield f"{layout.version(number)} is missing, and no one has pruned it"
    for alias, target in layout.targets().items():
        if target not in numbers:
            yield f"{layout.alias(alias)} points to version {target}, which does not exist"
