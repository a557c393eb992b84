"""One Chinese term for each thing, on the server's page, in reports and in the documents."""

from __future__ import annotations

import pytest
from trained import REPO

OTHERS = {"佩戴不规范": ("佩戴不当", "不当佩戴"), "修正": ("更正", "纠正"), "分组": ("切片",)}
"""By term, what else it could be called."""
SOURCES = sorted(
    path
    for pattern in (
        "*.zh-CN.md",
        "docs/**/*.zh-CN.md",
        "maskdet/reporting/*texts.py",
        "maskdet/serving/web/js/**/zh.js",
        "scripts/write_reference/zh-CN.yml",
    )
    for path in REPO.glob(pattern)
)


@pytest.mark.parametrize("term", OTHERS)
def test_a_thing_has_one_name(term: str) -> None:
    texts = {path.relative_to(REPO): path.read_text(encoding="utf-8") for path in SOURCES}
    assert sum(term in text for text in texts.values()) > 5
    assert [str(path) for path, text in texts.items() if any(other in text for other in OTHERS[term])] == []
