"""What a Markdown page consists of: headings with GitHub's anchors, fenced blocks, links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

CHINESE = ".zh-CN.md"
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^ *(?P=mark)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^(#{1,6}) +(.*?)(?: +#+)?$", re.MULTILINE)
# A code span comes first, so that what looks like a link within one is passed over.
_LINK = re.compile(r"`[^`]*`|(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)\)")


@dataclass(frozen=True)
class Heading:
    """`start` and `end` are the positions of its line within the page."""

    level: int
    text: str
    anchor: str
    start: int
    end: int


@dataclass(frozen=True)
class Fence:
    """A fenced block; `line` is the number of its first line of code."""

    language: str
    code: str
    line: int


@dataclass(frozen=True)
class Link:
    """`start` and `end` are its positions within the page; an image is a link as well."""

    text: str
    target: str
    is_image: bool
    start: int
    end: int


def headings(page: str) -> list[Heading]:
    seen: Counter[str] = Counter()
    found = []
    for match in _HEADING.finditer(without_fences(page)):
        slug = _slug(match[2])
        anchor = f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1
        found.append(Heading(len(match[1]), match[2], anchor, *match.span()))
    return found


def fences(page: str) -> list[Fence]:
    return [
        Fence(
            match["info"].strip().split(" ")[0],
            re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE),
            page.count("\n", 0, match.start("body")) + 1,
        )
        for match in _FENCE.finditer(page)
    ]


def links(page: str) -> Iterator[Link]:
    for match in _LINK.finditer(without_fences(page)):
        if match["target"]:
            yield Link(match["text"], match["target"], bool(match["image"]), *match.span())


def _slug(heading: str) -> str:
    """GitHub's anchor of a heading: its visible text in lower case, with hyphens for spaces."""
    visible = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", visible.strip().lower()).replace(" ", "-")


def without_fences(page: str) -> str:
    """The page with its blocks blanked; every position stays."""
    return _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), page)
