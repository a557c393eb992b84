"""The monitor page in a real browser, against the real server process with the statistics of two days."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from page_server import serving
from sightings import LABELS, OLD, crowd, write_two_days
from support import write_tiny_bundle

from maskdet.drift.profile import take_profile
from maskdet.registry.registry import Registry
from maskdet.serving.http.hashing import hash_key

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.slow, pytest.mark.skipif(chromium.PATH is None, reason="no Chromium is installed")]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("monitor")
    draw = np.random.default_rng(1)
    profile = take_profile([crowd(draw) for _ in range(200)], LABELS)
    bundle = write_tiny_bundle(folder / "tiny.onnx", labels=LABELS, profile=profile)
    write_two_days(folder / "state", bundle, profile)
    registry = Registry(folder / "models")
    registry.register("tiny", bundle)
    registry.set_alias("tiny", "champion", 1, why="start")
    command = [sys.executable, "-m", "maskdet", "serve", "--model", "models:tiny@champion", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--monitor", "state"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        yield found[0]
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture(params=[(1280, "light", "en"), (390, "dark", "zh-CN")], ids=["wide", "narrow"])
def page(request: Any, browser: Any, url: str) -> Iterator[Any]:
    width, scheme, language = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale=language
    )
    made, said = context.new_page(), []
    made.on("console", lambda message: said.append(message.text))
    made.on("pageerror", lambda error: said.append(str(error)))
    made.goto(f"{url}/monitor")
    expect(made.locator("#figures")).to_be_visible()
    yield made
    assert said == []
    context.close()


def shown(page: Any, table: str) -> list[list[str]]:
    return [row.locator("th, td").all_inner_texts() for row in page.locator(f"#{table} tbody tr").all()]


def hours(page: Any) -> Any:
    return page.locator("#hours-table tbody tr")


def test_monitor_shows_hours_cameras_versions_and_swaps(page: Any) -> None:
    page.locator('[data-language="en"]').click()
    page.select_option("#hours", "168")
    # A day has 24, and is what the page shows until the answer for the week is there.
    expect(hours(page).nth(40)).to_be_attached()
    # A narrow chart joins hours of a week: fewer bars than hours.
    expect(page.locator("#compliance rect").nth(15)).to_be_attached()
    expect(page.locator("#swaps li")).to_have_count(1)

    expect(page.locator("#outlook-title")).to_contain_text("Drift in Brightness")
    expect(page.locator("#compliance .swap")).to_have_count(1)
    assert page.locator("#features li").count() == 7
    cameras = {row[0]: row[1] for row in shown(page, "cameras-table")}
    assert cameras == {"gate": "stable", "hall": "drift"}
    old, new = (row[0] for row in shown(page, "versions-table"))
    assert old == OLD
    assert re.fullmatch(r"tiny@1 · champion · [0-9a-f]{12} \(answers\)", new)
    expect(page.locator("#version option").first).to_have_text(new)
    expect(page.locator("#swaps li")).to_contain_text(f"{new.removesuffix(' (answers)')} replaced {OLD}")
    page.locator("details summary").first.click()
    assert len(shown(page, "hours-table")) >= 40

    page.select_option("#camera", "=gate")
    expect(page.locator("#outlook-title")).to_have_text("As on val")
    page.select_option("#version", OLD)
    expect(page.locator("#features li").first).to_contain_text("200 seen, 200 on val")

    page.locator('[data-language="zh"]').click()
    expect(page.locator("h1")).to_have_text("监控")
    expect(page.locator("#outlook-title")).to_have_text("与验证集一致")
    assert page.title() == "maskdet – 监控"


def test_a_late_answer_does_not_replace_what_was_chosen_since(page: Any) -> None:
    held: list[Any] = []
    page.route("**/v1/monitor?hours=168*", lambda route: held.append(route), times=1)  # noqa: PLW0108 it wraps names
    page.select_option("#hours", "168")
    with page.expect_response("**/v1/monitor?hours=24*"):
        page.select_option("#hours", "24")

    with page.expect_response("**/v1/monitor?hours=168*"):
        held[0].continue_()

    page.wait_for_timeout(200)
    assert hours(page).count() == 24


def test_a_key_can_be_given_after_its_dialog_was_closed(browser: Any, tmp_path: Path) -> None:
    keys = f"serve.api_keys=[{{name: anna, hash: {hash_key('anna')}, scopes: [detect]}}]"
    with serving(tmp_path, "--set", keys) as server:
        page = browser.new_page(locale="en-US")
        page.goto(f"{server.url}/monitor")
        expect(page.locator("#key-dialog")).to_be_visible()
        page.keyboard.press("Escape")
        again = page.get_by_role("button", name="Enter a key")
        again.click()

        page.locator("#key").fill("anna")
        page.locator("#key").press("Enter")

        expect(page.locator("#figures")).to_be_visible()
        expect(again).to_be_hidden()
        page.close()


def test_monitor_fits_and_axe_finds_nothing(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    for summary in page.locator("details summary").all():
        summary.click()

    found = axe.run(page).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
