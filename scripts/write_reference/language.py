"""In which language a page is written: the code's own English, or Chinese from a catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

CATALOGUE = Path(__file__).with_name("zh-CN.yml")
# Chinese has no spaces between words; forms such as "list of {}" leave some.
_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")


@dataclass
class English:
    """Says everything as the code does."""

    suffix = ".md"

    def __call__(self, text: str) -> str:
        """`text` in this language, on one line."""
        return one_line(text)

    def polished(self, page: str) -> str:
        """A finished page with the spacing of this language."""
        return page


@dataclass
class Chinese(English):
    """Says what the catalogue has for it; `missing` collects what it lacks, `used` what was asked for."""

    suffix = ".zh-CN.md"
    catalogue: dict[str, str]
    missing: dict[str, None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def __call__(self, text: str) -> str:
        english = one_line(text)
        self.used.add(english)
        if english and english not in self.catalogue:
            self.missing[english] = None
        return self.catalogue.get(english, english)

    def polished(self, page: str) -> str:
        return _GAP.sub("", page)

    @property
    def stale(self) -> list[str]:
        """Sentences of the catalogue that no page has asked for."""
        return sorted(set(self.catalogue) - self.used)


def chinese() -> Chinese:
    """Chinese by the catalogue: a list of `en` and `zh`."""
    entries = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8")) or []
    return Chinese({entry["en"]: entry["zh"] for entry in entries})


def one_line(text: str) -> str:
    return " ".join(text.split())


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return one_line(text).replace("|", "\\|").replace("<", "&lt;")


def table(say: English, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its heads are said in the language, its cells are as they are."""
    lines = [f"| {' | '.join(cells)} |" for cells in (list(map(say, heads)), *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(heads)}", *lines[1:]])


def prose(say: English, text: str) -> str:
    """A docstring as Markdown: paragraphs, lists as they are, and code where it is indented."""
    return "\n\n".join(
        _block(say, block) for block in re.split(r"\n\s*\n", text.strip("\n")) if block.strip()
    )


def _block(say: English, block: str) -> str:
    lines = block.splitlines()
    if lines[0].startswith(">>> "):
        return "\n".join(["```pycon", *lines, "```"])
    if all(line.startswith("    ") for line in lines):
        return "\n".join(["```", *(line[4:] for line in lines), "```"])
    if lines[0].startswith("- "):
        items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
        return "\n".join(f"- {say(item)}" for item in items)
    return say(block)
