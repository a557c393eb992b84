"""Which pages the repository has."""

from __future__ import annotations

from pathlib import Path

from trained import REPO

CHINESE = ".zh-CN.md"
# Its readers follow the code, whose language is English.
ENGLISH_ONLY = ("CHANGELOG.md",)


def every_page() -> list[str]:
    """All Markdown files by their paths within the repository."""
    folders = ("docs", "data/sample", "maskdet/models", "scripts", ".github")
    found = [*REPO.glob("*.md"), *(page for folder in folders for page in (REPO / folder).rglob("*.md"))]
    return sorted(page.relative_to(REPO).as_posix() for page in found)


def translated_pages() -> list[str]:
    """English pages that have a Chinese one, or should have."""
    pages = [page for page in every_page() if page.startswith("docs/") or "/" not in page]
    return [page for page in pages if not page.endswith(CHINESE) and page not in ENGLISH_ONLY]


def chinese_of(page: str) -> Path:
    return REPO / (page.removesuffix(".md") + CHINESE)
