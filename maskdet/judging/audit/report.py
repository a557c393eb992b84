"""Writes an audit: index.html for people, suspects.json and suspects.csv for programs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from maskdet.dataset.manifest import Manifest
from maskdet.errors import UsageError
from maskdet.judging.audit.page import page_text
from maskdet.judging.audit.suspects import CSV_COLUMNS, AuditResult
from maskdet.progress import Track, silent
from maskdet.system.files import write_json, write_text

PAGE: Final = "index.html"
JSON: Final = "suspects.json"
CSV: Final = "suspects.csv"


def check_replaceable(folder: Path) -> None:
    """Raise UsageError if the folder holds anything but an earlier audit, which a new one replaces."""
    if not folder.exists():
        return
    if not folder.is_dir() or any(path.name not in {PAGE, JSON, CSV} for path in folder.iterdir()):
        raise UsageError(f"{folder} holds other files", "choose a folder that does not exist with --out")


def write_audit(
    result: AuditResult, manifest: Manifest, out: Path, target: Path, track: Track = silent
) -> None:
    """Write into the existing folder `out`, which the caller renames to `target`."""
    labels = {manifest.name(picture): [item.box for item in picture.objects] for picture in manifest.pictures}
    write_json(out / JSON, result.to_json())
    with (out / CSV).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(CSV_COLUMNS)
        table.writerows(result.csv_rows())
    write_text(out / PAGE, page_text(result, manifest.files, labels, target, track))
