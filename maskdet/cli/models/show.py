"""`maskdet models show`: one version with its lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskdet.cli.models.options import AsJson, VersionName, day, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from maskdet.registry.version import Version


def show(
    version: VersionName, config: Config = None, registry: RegistryFolder = None, as_json: AsJson = False
) -> None:
    """Show a version: where it comes from, what it was measured on, and who moved its aliases."""
    from maskdet.cli.console import print_lines
    from maskdet.registry.summary import details_of

    opened = open_registry(config, registry)
    found = opened.find(version)
    details = details_of(found, opened.aliases(found.model), opened.history(found.model))
    if as_json:
        print_json(details)
        return
    print_lines(_lines(found, details))


def _lines(version: Version, details: dict[str, Any]) -> Iterator[str]:
    lineage = version.record.lineage
    aliases = f" ({', '.join(details['aliases'])})" if details["aliases"] else ""
    yield f"{version.reference}{aliases}"
    record = version.record
    yield f"  registered: {day(record.created)} by {record.by}, from {lineage.source or 'a file'}"
    yield f"  bundle: {version.bundle} ({version.record.bundle})"
    yield f"  parent: {lineage.parent or 'none registered'}"
    yield f"  training started from: {lineage.start or 'unknown'}"
    parts = ", ".join(f"{count} {part}" for part, count in lineage.pictures.items())
    yield f"  data: {parts or 'unknown pictures'}, manifest {lineage.data_sha256[:12] or 'unknown'}"
    counts = ", ".join(f"{count} {name}" for name, count in lineage.counts.items())
    yield f"  measured on: {counts or 'unknown'}"
    figures = (f"{name} {value:.4g}" for name, value in lineage.metrics.items() if "." not in name)
    yield f"  figures: {', '.join(figures) or 'none'}"
    yield f"  gates: {_gates(details['gates'])}"
    yield f"  code: {', '.join(f'{name} {value}' for name, value in lineage.code.items()) or 'unknown'}"
    yield f"  files: {', '.join(version.record.files) or 'none'}"
    yield f"  signature: {'yes' if version.signature else 'none'}"
    for move in details["moves"]:
        why = f": {move['why']}" if move["why"] else ""
        yield f"  {day(move['at'])}: {move['alias']} {move['event']} to it by {move['by']}{why}"


def _gates(gates: dict[str, Any]) -> str:
    if not gates:
        return "not judged"
    reasons = "; ".join(gates.get("reasons", ()))
    return "passed" if gates.get("passed") else f"refused{': ' if reasons else ''}{reasons}"
