"""The pages that reports are, opened from disk in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from drawn_run import draw_run, export_again, up_to_date
from sightings import seen_by_models
from support import LABELS

from maskdet.artefacts import PAGE
from maskdet.drift.decision import decide
from maskdet.drift.settings import DriftSettings
from maskdet.pipeline.ci.delivering import Delivering
from maskdet.pipeline.references.contenders import read_contenders
from maskdet.reporting.comparison import Comparison, comparison_page
from maskdet.reporting.drift_page import drift_page
from maskdet.system.files import write_text

pytestmark = pytest.mark.slow
WIDTHS = (1280, 390)
GATES = {
    "gates": {
        "counts": {"pictures": 1, "faces": 1, "class_faces": 1, "bare_faces": 1},
        "limits": {"bare_passed_judge": "value", "false_alarms": None},
    }
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages of a run, of a comparison and of drift, by kind."""
    root = tmp_path_factory.mktemp("pages")
    context = draw_run(root, "one", sections=GATES)
    for labels in (LABELS, (LABELS[1], LABELS[0], LABELS[2])):
        export_again(context, labels=labels)
        Delivering(promote=True)(context, up_to_date())
    draw_run(root, "two", epochs=3)
    run = context.folder / PAGE
    compared = root / "compared.html"
    write_text(compared, comparison_page(Comparison(read_contenders(["one", "two"], root / "runs"))))
    drifted = root / "drift.html"
    views = seen_by_models("north", "south", brightness=40)
    write_text(drifted, drift_page([decide(view, DriftSettings(inbox_pictures=9)) for view in views]))
    return {"run": run, "comparison": compared, "drift": drifted}


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[Any]:
    """The page; it must say nothing on the console and ask for nothing but itself."""
    context = browser.new_context(**options)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda line: said.append(line.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]


@pytest.mark.parametrize(
    ("kind", "locale", "scheme", "width"),
    [
        ("run", "en-US", "light", 1280),
        ("run", "zh-CN", "dark", 390),
        ("comparison", "zh-CN", "dark", 390),
        ("drift", "en-US", "light", 1280),
        ("drift", "zh-CN", "dark", 390),
    ],
)
def test_it_fits_and_is_accessible(
    browser: Any, pages: dict[str, Path], kind: str, locale: str, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    shape = {"width": width, "height": 900}
    with opened(browser, pages[kind], locale=locale, color_scheme=scheme, viewport=shape) as page:
        assert page.evaluate("document.documentElement.lang") == locale.replace("-US", "")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = axe.run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


@pytest.mark.parametrize("kind", ["run", "drift"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_language_widens_it(browser: Any, pages: dict[str, Path], width: int, kind: str) -> None:
    with opened(browser, pages[kind], locale="en-US", viewport={"width": width, "height": 900}) as page:
        for name in ("English", "中文"):
            page.get_by_role("button", name=name).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_language_changes_without_a_reload(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"], locale="en-US") as page:
        page.evaluate("window.mark = 1")
        assert page.locator("#safety h2").inner_text() == "Safety"
        page.get_by_role("button", name="中文").press("Enter")
        assert page.locator("#safety h2").inner_text() == "安全性"
        assert page.evaluate("window.mark") == 1
        assert "precision" not in page.locator("#accuracy .chart").first.inner_text()


def test_a_slider_moves_from_one_models_boxes_to_the_others(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"], locale="en-US") as page:
        duel = page.locator("#duels .duel").first
        slider = duel.get_by_label("Line between champion and challenger")
        assert duel.locator(".before rect").count() == duel.locator(".after rect").count() > 0
        slider.focus()
        page.keyboard.press("End")
        clip = "element => getComputedStyle(element).clipPath"
        assert duel.locator(".after").evaluate(clip) == "inset(0px 0px 0px 100%)"
        page.keyboard.press("Home")
        assert duel.locator(".after").evaluate(clip) == "inset(0px 0px 0px 0%)"
        assert "gates refuse the challenger" in page.locator("#gates .verdict").inner_text()


def test_on_paper_it_is_dark_on_white_and_whole(browser: Any, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"], locale="en-US", color_scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert not page.locator(".switch").is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")
