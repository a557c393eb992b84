"""`maskdet models list`: every version, its aliases and its key figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskdet.cli.models.options import AsJson, day, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder

if TYPE_CHECKING:
    from maskdet.registry.registry import Registry

_HEADINGS = ("model", "version", "aliases", "AP50", "registered", "by", "bundle", "signed")
_SHIPPED = "shipped"


def listing(config: Config = None, registry: RegistryFolder = None, as_json: AsJson = False) -> None:
    """List the models with their versions and aliases, and the shipped ones with advice on which to use."""
    from maskdet.cli.console import print_lines, print_table

    rows = [*_rows(open_registry(config, registry)), *_shipped()]
    if as_json:
        print_json(rows)
        return
    print_table(_HEADINGS, map(_cells, rows))
    if advice := [_advice(row) for row in rows if _SHIPPED in row["aliases"]]:
        print_lines(["", *advice])


def _rows(registry: Registry) -> list[dict[str, Any]]:
    from maskdet.registry.summary import summary_of

    return [
        summary_of(version, registry.aliases(name))
        for name in registry.models()
        for version in reversed(registry.versions(name))
    ]


def _shipped() -> list[dict[str, Any]]:
    from maskdet.detector.catalogue import FAMILY
    from maskdet.detector.shipped import shipped_model, shipped_names
    from maskdet.system.files import sha256_file

    return [
        {
            "model": name,
            "aliases": [_SHIPPED],
            "bundle": sha256_file(shipped_model(name)),
            "input_side": FAMILY[name].side,
            "take_it": FAMILY[name].take_it,
            "licence": FAMILY[name].licence,
        }
        for name in shipped_names()
    ]


def _advice(row: dict[str, Any]) -> str:
    return f"{row['model']}, {row['input_side']} px, {row['licence']}: take it {row['take_it']}"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ap50 = row.get("ap50")
    return (
        row["model"],
        str(row.get("number", "")),
        ", ".join(row["aliases"]),
        "" if ap50 is None else f"{ap50:.1%}",
        day(row["created"]) if "created" in row else "",
        row.get("by", ""),
        row["bundle"][:12],
        "yes" if row.get("signed") else "",
    )
