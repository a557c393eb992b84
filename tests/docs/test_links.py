"""Every link of every page leads somewhere; addresses of other hosts are checked in form only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from trained import REPO
from written import every_page

from docs_site.pages import headings, links

# Becomes a notebook in another folder, from which its links start.
ELSEWHERE = {REPO / "scripts/write_tour/tour.md": REPO / "docs/tour.ipynb"}


def faults(page: Path) -> Iterator[str]:
    for link in links(page.read_text(encoding="utf-8")):
        fault = fault_of(ELSEWHERE.get(page, page), link.target)
        if fault:
            yield f"{link.target}: {fault}"


def fault_of(page: Path, target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme:
        return "" if parts.scheme == "https" and "." in parts.netloc else "no https address"
    if target.startswith("/"):
        return "starts at no page"
    there = page.parent / unquote(parts.path) if parts.path else page
    if not there.exists():
        return "no such file"
    anchor = unquote(parts.fragment)
    return "" if not anchor or anchor in anchors(there) else "no such heading"


@cache
def anchors(page: Path) -> frozenset[str]:
    return frozenset(heading.anchor for heading in headings(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", every_page())
def test_links_lead_somewhere(page: str) -> None:
    assert not list(faults(REPO / page))


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("other.md", ""),
        ("other.md#the-gate", ""),
        ("other.md#the-gate-1", ""),
        ("#own", ""),
        ("other.md#the-gate-2", "no such heading"),
        ("other.md#in-a-block", "no such heading"),
        ("missing.md", "no such file"),
        ("/other.md", "starts at no page"),
        ("http://example.org", "no https address"),
        ("https://nowhere", "no https address"),
    ],
)
def test_a_bad_link_is_found(tmp_path: Path, target: str, fault: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Own\n\n`[code](nowhere.md)` [words\nof a link]({target})\n")
    (tmp_path / "other.md").write_text("# The `gate`\n\n```\n# In a block\n```\n\n## The gate\n")
    assert list(faults(page)) == ([f"{target}: {fault}"] if fault else [])
