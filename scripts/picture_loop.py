"""Take the pictures of docs/loop.md from what `make loop` left: review queue, monitor and a run's report.

    .venv/bin/python scripts/picture_loop.py runs/loop docs/images

It needs Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from served import server

SIZE = {"width": 1180, "height": 785}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what make loop wrote")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_context(viewport=SIZE, device_scale_factor=1.5, locale="en").new_page()
        with server(Path(name) / "server.log", "-c", str(folder / "pipeline.yml")) as address:
            for view in ("review", "monitor"):
                page.goto(f"{address}/{view}")
                save(page, chosen.out / f"loop-{view}.jpg")
        page.goto((folder / "runs" / "loop" / "report.html").as_uri() + "#gates")
        save(page, chosen.out / "loop-report.jpg")


def save(page: Page, target: Path) -> None:
    page.wait_for_load_state("networkidle")
    shown = Image.open(BytesIO(page.screenshot())).convert("RGB")
    shown.save(target, quality=85, optimize=True)


if __name__ == "__main__":
    main()
