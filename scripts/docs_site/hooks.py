"""MkDocs hooks: pages outside docs/ are on the site as well, and every page is fitted to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mkdocs.structure.files import File, Files

from docs_site.fitting import ROOT, fitted, outside


def on_files(files: Files, config: Any) -> Files:
    for source in outside():
        files.append(File(source, config.docs_dir, config.site_dir, config.use_directory_urls))
    return files


def on_page_read_source(page: Any, config: Any) -> str | None:
    del config
    source = outside().get(page.file.src_uri)
    return (ROOT / source).read_text(encoding="utf-8") if source else None


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    del config, files
    source = outside().get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return fitted(markdown, source)
