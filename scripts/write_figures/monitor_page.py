"""The monitor page with the statistics of two days: monitor.jpg."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser

from maskdet.drift.profile import take_profile
from served import ROOT, server
from write_figures.shots import save

sys.path.insert(0, str(ROOT / "tests"))

from sightings import LABELS, crowd, write_two_days
from support import write_tiny_bundle


def picture(browser: Browser, scratch: Path, out: Path) -> None:
    draw = np.random.default_rng(1)
    profile = take_profile([crowd(draw) for _ in range(200)], LABELS)
    bundle = write_tiny_bundle(scratch / "tiny.onnx", labels=LABELS, profile=profile)
    write_two_days(scratch / "state", bundle, profile)
    page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en").new_page()
    with server(
        scratch / "monitor.log", "--model", str(bundle), "--monitor", str(scratch / "state")
    ) as address:
        page.goto(f"{address}/monitor")
        page.select_option("#hours", "168")
        save(page, out / "monitor.jpg", whole=True)
    page.context.close()
