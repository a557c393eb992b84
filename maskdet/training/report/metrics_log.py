"""metrics.jsonl: one JSON line per group of steps and one per epoch, written by the worker.

Warnings are in between; those of a failure that was recovered from are written by the parent.
"""

from __future__ import annotations

import json
from pathlib import Path

from maskdet.system.files import json_lines, write_text
from maskdet.training.launch.process import Event

METRICS_NAME = "metrics.jsonl"


def read_metrics(out: Path) -> list[Event]:
    """All complete lines, in order; an incomplete last line is left out."""
    path = out / METRICS_NAME
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole, _, _ = text.rpartition("\n")
    return [json.loads(line) for line in json_lines(whole)]


def append_metrics(out: Path, event: Event) -> None:
    """Add a line; only while no worker writes."""
    with (out / METRICS_NAME).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(event, ensure_ascii=False) + "\n")


def forget_after(out: Path, epoch: int) -> None:
    """Drop the lines of epochs after `epoch`: a resumed training writes them again."""
    kept = [event for event in read_metrics(out) if event.get("epoch", epoch + 1) <= epoch]
    write_text(out / METRICS_NAME, "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in kept))
