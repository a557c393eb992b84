"""Every page is there in Chinese, with the headings and the code of the English one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from trained import REPO
from written import chinese_of, translated_pages

from docs_site.pages import fences, headings

# What a comment is depends on the language; a plain block may also have prose, so only its line starts count.
_COMMENT = re.compile(r"(^|\s)(#|//|<!--).*$", re.MULTILINE)


def code(fence: Any) -> list[str]:
    """The lines of a block that both languages share."""
    if not fence.language:
        return [line.split()[0] for line in fence.code.splitlines() if _COMMENT.sub("", line).split()]
    return [line.rstrip() for line in _COMMENT.sub("", fence.code).splitlines() if line.strip()]


@pytest.mark.parametrize("page", translated_pages())
def test_the_chinese_page_has_the_same_parts(page: str) -> None:
    chinese = chinese_of(page)
    assert chinese.is_file(), f"{page} has no Chinese page"
    english, translated = (REPO / page).read_text(encoding="utf-8"), chinese.read_text(encoding="utf-8")
    ours, theirs = headings(english), headings(translated)
    assert [each.level for each in theirs] == [each.level for each in ours], [each.text for each in theirs]
    own, other = fences(english), fences(translated)
    assert [each.language for each in other] == [each.language for each in own]
    assert list(map(code, other)) == list(map(code, own))


def test_only_comments_may_differ() -> None:
    texts = ("run a  # why", "run a  # 原因", "run b  # 原因")
    one, same, other = (fences(f"```bash\n{text}\n```")[0] for text in texts)
    assert code(one) == code(same) != code(other)
