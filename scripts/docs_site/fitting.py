"""A page of the repository as the site has it: links to its pages, and anchors that both languages share."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from docs_site.pages import CHINESE, Heading, Link, headings, links, without_fences

ROOT = Path(__file__).resolve().parents[2]
# Pages of the repository, and where they are on the site.
OUTSIDE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "data/sample/README.md": "sample-data.md",
    "scripts/write_tour/tour.md": "tour.md",
}
# The site shows the source of the notebook, which needs no viewer; its links start where the notebook is.
NOTEBOOK, NOTEBOOK_SOURCE = "docs/tour.ipynb", "scripts/write_tour/tour.md"

# A line break within Chinese, which a browser would show as a space.
_CHINESE = "[\u3001\u3002\u4e00-\u9fff\uff01-\uff5e\u201c\u201d]"
_GAP = re.compile(rf"(?<={_CHINESE})\n {{0,3}}(?={_CHINESE})")

# GitHub wants a backslash before a pipe in a table, even within code; MkDocs would show it.
_CODE = re.compile(r"`[^`\n]*`")
_PIPE = re.compile(r"\\\|")


def fitted(text: str, source: str) -> str:
    """The text of a page as MkDocs takes it; `source` is its path within the repository.

    A Chinese page has the anchors of the English one, so that a link leads to one place in both languages.
    """
    edits = [(link.start, link.end, _on_site(link, source)) for link in links(text)]
    shared = _shared_anchors(source)
    edits += [(heading.end, heading.end, f" {{#{shared[heading.anchor]}}}") for heading in headings(text)]
    prose = without_fences(text)
    edits += [(*gap.span(), "") for gap in _GAP.finditer(prose)]
    edits += [(pipe.start(), pipe.end(), "|") for code in _CODE.finditer(prose) for pipe in _pipes(code)]
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _pipes(code: re.Match[str]) -> Iterator[re.Match[str]]:
    return _PIPE.finditer(code.string, *code.span())


def _on_site(link: Link, source: str) -> str:
    """The link as it is on the site; its text alone if it leads to a file that is not there."""
    if "://" in link.target or link.target.startswith("mailto:"):
        return _written(link, link.target)
    path, _, fragment = link.target.partition("#")
    start = posixpath.dirname(NOTEBOOK if source == NOTEBOOK_SOURCE else source)
    there = posixpath.normpath(posixpath.join(start, path)) if path else source
    if there != source and _english(there) == _english(source):
        return ""  # the site switches languages itself
    if fragment and there.endswith(CHINESE):
        fragment = _shared_anchors(there).get(fragment, fragment)
    home = _home(NOTEBOOK_SOURCE if there == NOTEBOOK else _english(there))
    if home is None:
        return link.text
    relative = posixpath.relpath(home, posixpath.dirname(_home(_english(source)) or "")) if path else ""
    return _written(link, f"{relative}#{fragment}" if fragment else relative)


def _written(link: Link, target: str) -> str:
    return f"{'!' if link.is_image else ''}[{link.text}]({target})"


def _home(source: str) -> str | None:
    """Where the site has a file of the repository, from the site's root; None if it has not."""
    if source.startswith("docs/"):
        return source.removeprefix("docs/")
    return OUTSIDE.get(source)


def outside() -> dict[str, str]:
    """The file of the repository behind each page of the site that is not in docs/."""
    both = {home: source for source, home in OUTSIDE.items()}
    chinese = {_chinese(home): _chinese(source) for home, source in both.items()}
    return both | {home: source for home, source in chinese.items() if (ROOT / source).is_file()}


def _shared_anchors(source: str) -> dict[str, str]:
    """The anchors of a page, and under which the site has them: the English page's, in the same order."""
    own = _headings_of(source)
    english = _headings_of(_english(source))
    if len(own) != len(english):
        english = own
    return {mine.anchor: theirs.anchor for mine, theirs in zip(own, english, strict=True)}


def _headings_of(source: str) -> list[Heading]:
    return headings((ROOT / source).read_text(encoding="utf-8"))


def _english(source: str) -> str:
    return source.replace(CHINESE, ".md")


def _chinese(source: str) -> str:
    return source.removesuffix(".md") + CHINESE
