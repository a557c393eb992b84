"""What `make loop` left: review queue, monitor and the report of a run, as loop-review.jpg and so on."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from served import server
from write_figures.shots import open_page, save


def picture(browser: Browser, folder: Path, scratch: Path, out: Path) -> None:
    page = open_page(browser)
    with server(scratch / "loop.log", "-c", str(folder / "pipeline.yml")) as address:
        for view in ("review", "monitor"):
            page.goto(f"{address}/{view}")
            save(page, out / f"loop-{view}.jpg")
    page.goto((folder / "runs" / "loop" / "report.html").as_uri() + "#gates")
    save(page, out / "loop-report.jpg")
    page.context.close()
