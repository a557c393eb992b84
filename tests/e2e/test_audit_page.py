"""The audit's page in Chromium, opened from disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audited import planted_manifest
from support import write_tiny_bundle

from maskdet.detector.bundle import load_bundle
from maskdet.judging.audit.audit import audit
from maskdet.judging.audit.report import write_audit


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planted")
    manifest, bundle = planted_manifest(root), load_bundle(write_tiny_bundle(root / "tiny.onnx"))
    result = audit(bundle, manifest, part="all", most=10)
    out = root / "audit"
    out.mkdir()
    write_audit(result, manifest, out, out)
    return out / "index.html"


@pytest.mark.parametrize(("width", "scheme", "locale"), [(1280, "light", "en-US"), (390, "dark", "zh-CN")])
def test_it_opens_from_disk(browser: Any, page_file: Path, width: int, scheme: str, locale: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, locale=locale
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_file.as_uri())
    chinese = locale.startswith("zh")
    assert page.locator("h1").inner_text() == ("需要复查的标注" if chinese else "Labels to look at again")
    found = axe.run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".card:visible").count() == 3
    page.locator("button[data-kind=swapped]").click()
    assert page.locator(".card:visible h2").all_inner_texts() == [
        f"{1 if page.locator('.card').first.get_attribute('data-kind') == 'swapped' else 2}. "
        f"{'类别有误' if chinese else 'wrong class'}"
    ]
    page.locator("#language").click()
    assert page.evaluate("document.documentElement.lang") == ("en" if chinese else "zh-CN")
    link = page.locator(".card:visible a").get_attribute("href")
    assert page.evaluate("link => new URL(link, document.baseURI).href", link).startswith("file:///")
    assert said == []
    context.close()
