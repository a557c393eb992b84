"""`maskdet models diff`: what changed between two versions."""

from __future__ import annotations

from maskdet.cli.models.options import AsJson, VersionName, open_registry, print_json
from maskdet.cli.options import Config, RegistryFolder


def diff(
    first: VersionName,
    second: VersionName,
    config: Config = None,
    registry: RegistryFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions: figures, data, lineage and settings."""
    from maskdet.cli.console import print_lines, print_table
    from maskdet.registry.comparison import compare_versions

    opened = open_registry(config, registry)
    compared = compare_versions(opened, opened.find(first), opened.find(second))
    if as_json:
        print_json(compared.to_json())
        return
    pictures = compared.pictures
    print_lines([f"{compared.first} → {compared.second}"])
    if pictures is not None:
        print_lines(
            [f"pictures: {pictures.added} added, {pictures.removed} removed, {pictures.shared} in both"]
        )
    rows = compared.rows()
    print_table(("what", compared.first, compared.second), rows) if rows else print_lines(["no difference"])
