"""What the site makes of the pages, and how a built site is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from trained import REPO
from written import CHINESE, every_page

from docs_site import fitting
from docs_site.check_site import faults_of


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Fits a page of a small repository, given by its path, to the site."""
    monkeypatch.setattr(fitting, "ROOT", tmp_path)
    texts = {
        "docs/serving.md": "# Serving\n\n## Limits\n\n[in short](#limits), [中文](serving.zh-CN.md)\n",
        "docs/serving.zh-CN.md": "# 服务\n\n## 限制\n\n[简而言之](#限制)、[安全](../SECURITY.md#limits)\n",
        "docs/moving/README.md": "# Moving\n\n[limits](../serving.md#limits), [tour](../tour.ipynb)\n",
        "docs/gates.md": "# Gates\n\nText of two\nlines.\n\n| `a\\|b` | c\\|d |\n|---|---|\n",
        "docs/gates.zh-CN.md": "# 门槛\n\n两行的\n文字，\n`code`\n其余\n\n```\n代码\n代码\n```\n",
        "SECURITY.md": "# Security\n\n[limits](docs/serving.md#limits), [a file](deploy/file.yml)\n",
        "scripts/write_tour/tour.md": "# Tour\n\n[serving](serving.md)\n",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return lambda path: fitting.fitted(texts[path], path)


def test_links_start_at_the_place_on_the_site(fitted: Any) -> None:
    assert "[limits](../serving.md#limits), [tour](../tour.md)" in fitted("docs/moving/README.md")
    assert "[limits](serving.md#limits)" in fitted("SECURITY.md")
    assert "[serving](serving.md)" in fitted("scripts/write_tour/tour.md")


def test_a_link_to_a_file_that_the_site_lacks_is_its_text(fitted: Any) -> None:
    assert fitted("SECURITY.md").endswith(", a file\n")


def test_both_languages_have_the_same_anchors(fitted: Any) -> None:
    assert "## Limits {#limits}" in fitted("docs/serving.md")
    assert "## 限制 {#limits}" in fitted("docs/serving.zh-CN.md")
    assert "[简而言之](#limits)、[安全](security.md#limits)" in fitted("docs/serving.zh-CN.md")


def test_chinese_lines_are_joined(fitted: Any) -> None:
    assert "\n两行的文字，\n`code`\n其余\n\n```\n代码\n代码\n```" in fitted("docs/gates.zh-CN.md")
    assert "two\nlines" in fitted("docs/gates.md")


def test_a_pipe_in_code_needs_no_backslash(fitted: Any) -> None:
    assert "| `a|b` | c\\|d |" in fitted("docs/gates.md")


def test_the_site_switches_languages_by_itself(fitted: Any) -> None:
    assert "zh-CN" not in fitted("docs/serving.md")


def test_every_page_is_in_the_navigation() -> None:
    config = yaml.load((REPO / "mkdocs.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    shown = set(leaves(config["nav"]))
    outside = set(fitting.OUTSIDE.values())
    pages = {page.removeprefix("docs/") for page in every_page() if page.startswith("docs/")}
    assert shown == {page for page in pages if not page.endswith(CHINESE)} | outside


def leaves(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inner = nav.values() if isinstance(nav, dict) else nav
    return [page for each in inner for page in leaves(each)]


@pytest.mark.parametrize(
    ("element", "fault"),
    [
        ('<a href="b/#part">', ""),
        ('<a href="https://example.org/">', ""),
        ('<a href="b/#none">', "b/#none: has no such anchor"),
        ('<img src="b/none.png">', "b/none.png: does not exist"),
        ('<script src="https://example.org/a.js">', "https://example.org/a.js: is on another host"),
    ],
)
def test_faults_of_a_built_site_are_found(tmp_path: Path, element: str, fault: str) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text('<h1 id="part">B</h1>')
    (tmp_path / "index.html").write_text(element)
    assert list(faults_of(tmp_path)) == ([f"index.html: {fault}"] if fault else [])
