"""Writes an audit: index.html for people, suspects.json and suspects.csv for programs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from maskdet.dataset.manifest import Manifest
from maskdet.files import write_json, write_text
from maskdet.judging.audit.page import page_text
from maskdet.judging.audit.suspects import CSV_COLUMNS, AuditResult
from maskdet.progress import Track, silent

PAGE: Final = "index.html"
JSON: Final = "suspects.json"
CSV: Final = "suspects.csv"


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
