"""Screenshots as the documentation has them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

SIZE = {"width": 1180, "height": 785}
QUALITY = 85


def open_page(browser: Browser, language: str = "en") -> Page:
    """A page in a context of its own, sharp enough to be shown at half its pixels."""
    return browser.new_context(viewport=SIZE, device_scale_factor=1.5, locale=language).new_page()


def save(page: Page, target: Path, *, whole: bool = False) -> None:
    """What the window shows, or the whole page, once nothing is loading."""
    page.wait_for_load_state("networkidle")
    shown = Image.open(BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    shown.save(target, quality=QUALITY, optimize=True)
