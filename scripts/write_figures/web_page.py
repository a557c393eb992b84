"""The web page with real results: page.jpg and page.zh-CN.jpg."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from draw_sample.sample_set import draw_set
from served import server
from write_figures.shots import open_page, save

LANGUAGES = {"en": "page.jpg", "zh-CN": "page.zh-CN.jpg"}
ANSWERED = "#strip .mark:not([data-outcome=waiting])"
# Not the seed of the sample set: these pictures are not in the training set. The first is shown large.
SEED, PICTURES, LARGE = 7, 6, 3


def picture(browser: Browser, model: Path, scratch: Path, out: Path) -> None:
    draw_set(scratch, PICTURES, SEED)
    drawn = sorted((scratch / "JPEGImages").iterdir())
    pictures = [drawn[LARGE], *drawn[:LARGE], *drawn[LARGE + 1 :]]
    with server(scratch / "page.log", "--model", str(model)) as address:
        for language, name in LANGUAGES.items():
            page = open_page(browser, language)
            page.goto(address)
            page.locator("input[type=file]").first.set_input_files(pictures)
            page.wait_for_function(
                f"count => document.querySelectorAll({ANSWERED!r}).length === count", arg=len(pictures)
            )
            save(page, out / name)
            page.context.close()
