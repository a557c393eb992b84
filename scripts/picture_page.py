"""Take the screenshots of the web page with real results: docs/images/page.jpg and page.zh-CN.jpg.

    .venv/bin/python scripts/picture_page.py runs/sample/export/model.onnx docs/images PICTURE...

It needs Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from served import server

LANGUAGES = {"en": "page.jpg", "zh-CN": "page.zh-CN.jpg"}
SIZE = {"width": 1180, "height": 785}
ANSWERED = "#strip .mark:not([data-outcome=waiting])"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a bundle")
    parser.add_argument("out", type=Path, help="folder for the screenshots")
    parser.add_argument("pictures", type=Path, nargs="+", help="dropped on it; the first is shown large")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with server(Path(name) / "server.log", "--model", str(chosen.model.resolve())) as address:
            for language, file in LANGUAGES.items():
                picture = page_in(browser, address, language, chosen.pictures)
                picture.save(chosen.out / file, quality=85, optimize=True)


def page_in(browser: Browser, address: str, language: str, pictures: list[Path]) -> Image.Image:
    """The page once it has drawn all results."""
    context = browser.new_context(viewport=SIZE, device_scale_factor=1.5, locale=language)
    page = context.new_page()
    page.goto(address)
    page.locator("input[type=file]").first.set_input_files(pictures)
    page.wait_for_function(
        f"count => document.querySelectorAll({ANSWERED!r}).length === count", arg=len(pictures)
    )
    shown = page.screenshot()
    context.close()
    return Image.open(BytesIO(shown)).convert("RGB")


if __name__ == "__main__":
    main()
