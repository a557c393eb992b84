"""What the parent does with a worker's events: screen, curves, and the page that shows them."""

from __future__ import annotations

import time
from pathlib import Path

from maskdet.training.launch.process import Event, OnEvent
from maskdet.training.report.curves import draw_curves
from maskdet.training.report.metrics_log import append_metrics
from maskdet.training.report.page import write_page

_PAGE_SECONDS = 10.0
_CURVES_SECONDS = 60.0
_BETWEEN_EPOCHS_SECONDS = 5.0
"""Drawing the curves takes a quarter of a second: in a training of short epochs, not after each of them."""


class Recorder:
    """Passes events on, each warning only once, and keeps curves.png and index.html up to date."""

    def __init__(self, out: Path, on_event: OnEvent) -> None:
        self._out, self._on_event = out, on_event
        self._drawn = self._written = time.monotonic()
        self.warnings: list[Event] = []

    def __call__(self, event: Event) -> None:
        if event["event"] == "warning":
            if event["text"] in [known["text"] for known in self.warnings]:
                return
            self.warnings.append(event)
        self._on_event(event)
        self._refresh(at_once=event["event"] in ("start", "epoch", "warning"))

    def tell(self, text: str, kind: str, epoch: int) -> None:
        """A warning from the parent itself, while no worker runs; `epoch` is the last finished one."""
        event = {"event": "warning", "kind": kind, "epoch": epoch, "text": text}
        append_metrics(self._out, event)
        self(event)

    def end(self, how: str) -> None:
        """Draw and write for the last time."""
        draw_curves(self._out)
        write_page(self._out, ended=how)

    def _refresh(self, *, at_once: bool) -> None:
        now = time.monotonic()
        if now - self._drawn >= (_BETWEEN_EPOCHS_SECONDS if at_once else _CURVES_SECONDS):
            draw_curves(self._out)
            self._drawn = now
        if at_once or now - self._written >= _PAGE_SECONDS:
            write_page(self._out)
            self._written = now
