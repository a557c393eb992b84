"""Check a built site: every link within it leads somewhere, and nothing is fetched from another host."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements whose address a browser follows only when the reader asks it to.
FOLLOWED = {"a"}


@dataclass
class Page(HTMLParser):
    """The addresses and the anchors of an HTML file."""

    addresses: list[tuple[str, str]] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.addresses.append((tag, value))
            if name in {"id", "name"} and value:
                self.anchors.add(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    site = parser.parse_args().site
    faults = list(faults_of(site))
    print("\n".join(faults) or f"{site}: every link leads somewhere")
    sys.exit(bool(faults))


def faults_of(site: Path) -> Iterator[str]:
    pages = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        # Served for any address, so its own links start at the site's root, wherever that is.
        if path.name == "404.html":
            continue
        for tag, address in page.addresses:
            fault = _fault(path, tag, address, pages)
            if fault:
                yield f"{path.relative_to(site.resolve())}: {address}: {fault}"


def _fault(path: Path, tag: str, address: str, pages: dict[Path, Page]) -> str:
    parts = urlsplit(address)
    if parts.scheme in {"data", "javascript", "mailto"}:
        return ""
    if parts.netloc:
        return "" if tag in FOLLOWED else "is on another host"
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "does not exist"
    anchor = unquote(parts.fragment)
    found = not anchor or target not in pages or anchor in pages[target].anchors
    return "" if found else "has no such anchor"


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


if __name__ == "__main__":
    main()
