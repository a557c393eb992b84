from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import chromium
import pytest

from maskdet.serving.routes.page import FOLDER, MEDIA_TYPES

_ORIGIN = "http://page.test"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    # For one module only: while Playwright runs, this thread has an event loop, so asyncio.run() refuses.
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium.PATH is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium.PATH, args=list(chromium.ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def modules(browser: Any) -> Iterator[Any]:
    """An empty page beside the web page's files: `import("/web/js/NAME.js")` works in it, no server runs."""

    def answer(asked: Any) -> None:
        path = FOLDER / asked.request.url.removeprefix(f"{_ORIGIN}/web/")
        if path.is_file():
            asked.fulfill(path=path, content_type=MEDIA_TYPES[path.suffix])
        else:
            asked.fulfill(body="<!doctype html><title>page</title>", content_type="text/html")

    context = browser.new_context()
    context.route(f"{_ORIGIN}/**", answer)
    page = context.new_page()
    page.goto(f"{_ORIGIN}/")
    yield page
    context.close()
