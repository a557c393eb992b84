"""runs/<name>/report.html: one run on one page that opens from disk and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from maskdet import __version__
from maskdet.reporting.jpeg import Album
from maskdet.reporting.markup import Markup, element
from maskdet.reporting.run_files import RunFiles
from maskdet.reporting.sections.accuracy import accuracy
from maskdet.reporting.sections.data import data
from maskdet.reporting.sections.duels import duels
from maskdet.reporting.sections.gates import gates
from maskdet.reporting.sections.lineage import lineage, parity
from maskdet.reporting.sections.mistakes import mistakes
from maskdet.reporting.sections.promise import promise
from maskdet.reporting.sections.reliability import reliability
from maskdet.reporting.sections.safety import safety, slices
from maskdet.reporting.sections.summary import summary
from maskdet.reporting.sections.thresholds import thresholds
from maskdet.reporting.sections.training import training
from maskdet.reporting.texts import say
from maskdet.system.files import write_text

_FOLDER: Final = Path(__file__).parent / "assets"
Section = tuple[str, Markup]
"""The key of its heading, and its content."""


def write_page(run: RunFiles, target: Path) -> None:
    """Write the page of a run as far as it got. Raises StageError if an artefact is damaged."""
    write_text(target, document(run.name, list(_sections(run))))


def document(title: str, sections: Sequence[Section]) -> str:
    """A whole HTML page: heading, contents, sections. It loads nothing and runs only its own script."""
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; img-src data:; style-src {_allowed(style)}; script-src {_allowed(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width"),
        element("title", f"{title} – maskdet"),
        element("style", Markup(style)),
    )
    body = element("body", _header(title), *_main(sections), element("script", Markup(script)))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _sections(run: RunFiles) -> Iterator[Section]:
    album = Album()
    found: Sequence[tuple[str, Markup | None]] = (
        ("summary", summary(run)),
        ("data", data(run)),
        ("training", training(run)),
        ("accuracy", accuracy(run)),
        ("thresholds", thresholds(run)),
        ("promise", promise(run)),
        ("reliability", reliability(run)),
        ("safety", safety(run)),
        ("slices", slices(run)),
        ("mistakes", mistakes(run, album)),
        ("parity", parity(run)),
        ("gates", gates(run)),
        ("duels", duels(run, album)),
        ("lineage", lineage(run)),
    )
    yield from ((key, content) for key, content in found if content is not None)


def _header(title: str) -> Markup:
    time = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")
    buttons = (
        element(
            "button", name, type="button", data_lang=code, lang=code, aria_pressed=str(code == "en").lower()
        )
        for code, name in (("en", "English"), ("zh-CN", "中文"))
    )
    return element(
        "header",
        element("div", element("h1", title), element("p", say("written", time=time, version=__version__))),
        element("div", *buttons, class_="switch", role="group", aria_label="Language / 语言"),
    )


def _main(sections: Sequence[Section]) -> Iterator[Markup]:
    links = (element("li", element("a", say(key), href=f"#{key}")) for key, _ in sections)
    yield element("nav", element("ul", *links), aria_label="Contents / 目录")
    yield element("main", *(_section(key, content) for key, content in sections))


def _section(key: str, content: Markup) -> Markup:
    return element("section", element("h2", say(key)), content, id=key)


def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _allowed(text: str) -> str:
    """The source expression of an inline text, CSP level 3."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
