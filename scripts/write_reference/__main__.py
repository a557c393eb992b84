"""Write the reference pages from the code, in English and Chinese, so that pages and code always agree."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from write_reference import commands, errors_page, metrics_page, pipeline_file, python_page, routes_page
from write_reference.language import English, chinese

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES: dict[str, ModuleType] = {
    "pipeline-file": pipeline_file,
    "reference/cli": commands,
    "reference/http": routes_page,
    "reference/python": python_page,
    "reference/metrics": metrics_page,
    "reference/errors": errors_page,
}
"""Each page, by its path without a suffix, and the module that has its TITLE, SOURCE and content()."""


def page(module: ModuleType, say: English) -> str:
    """A whole page as Markdown."""
    mark = f"<!-- Written by scripts/write_reference from {module.SOURCE}. -->"
    parts = [f"# {say(module.TITLE)}", *module.content(say)]
    # The mark follows the introduction.
    place = next(place for place, part in enumerate(parts) if part.startswith("## "))
    return say.polished("\n\n".join([*parts[:place], mark, *parts[place:]]) + "\n")


def pages(say: English) -> dict[str, str]:
    """All pages in one language, by their paths within docs/."""
    return {f"{path}{say.suffix}": page(module, say) for path, module in PAGES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    in_chinese = chinese()
    for path, text in {**pages(English()), **pages(in_chinese)}.items():
        target = DOCS / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for fault, sentences in (("lacks", in_chinese.missing), ("need not have", in_chinese.stale)):
        for sentence in sentences:
            print(f"scripts/write_reference/zh-CN.yml {fault}: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    main()
