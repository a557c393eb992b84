"""What pages show as code, taken apart into examples that run one by one."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from docs_site.pages import CHINESE, Fence, fences
from examples.statements import statements

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "data/sample", "maskdet/models")
NO_DOCUMENTATION = ("CHANGELOG.md",)
Kind = Literal["shell", "python", "yaml", "usage", "text"]
_SHELL = re.compile(r"(maskdet|make|curl|pip|python|docker|source|scripts/|\.venv/)")
_PYTHON = re.compile(r"(import|from) ")


@dataclass(frozen=True)
class Example:
    """`line` is that of its first line within the page."""

    page: str
    line: int
    kind: Kind
    code: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def headline(self) -> str:
        return self.code.strip().partition("\n")[0][:90]


def every_page() -> list[str]:
    """The English pages by their paths within the repository; a test compares the Chinese ones."""
    found = [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
    english = [page for page in found if not page.name.endswith(CHINESE)]
    return sorted(page.relative_to(ROOT).as_posix() for page in english if page.name not in NO_DOCUMENTATION)


def examples(page: str) -> list[Example]:
    """In the order of the page, which is a path within the repository or any other."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Example(page, fence.line + before, kind, code)
        for fence in fences(text)
        for kind in [kind_of(fence)]
        for before, code in parts(kind, fence.code)
    ]


def kind_of(fence: Fence) -> Kind:
    """By the language of the block, else by how it begins."""
    match fence.language:
        case "bash" | "sh":
            return "shell"
        case "python" | "pycon":
            return "python"
        case "yaml":
            return "yaml"
        case "":
            return _plain(fence.code)
        case _:
            return "text"


def _plain(code: str) -> Kind:
    if _PYTHON.match(code):
        return "python"
    if not _SHELL.match(code):
        return "text"
    return "usage" if re.match(r"maskdet [^\n]*\[", code) else "shell"


def parts(kind: Kind, code: str) -> Iterator[tuple[int, str]]:
    """What runs at once, with the number of lines before it."""
    if kind == "shell":
        yield from statements(code)
    elif code.startswith(">>> "):
        typed = doctest.DocTestParser().get_examples(code)
        yield 0, "".join(["import httpx, maskdet\n", *(each.source for each in typed)])
    else:
        yield 0, code
