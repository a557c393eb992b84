"""Findings as lines: bounded in number and length, fair to rare kinds."""

from __future__ import annotations

import pytest

from maskdet.dataset.checking.stopping import notice_lines
from maskdet.dataset.findings import LINE_LENGTH, RULES, Finding, bounded, clean


def findings(**numbers: int) -> list[Finding]:
    return [
        Finding(code.replace("_", "-"), f"Annotations/{index}.xml", "said")
        for code, number in numbers.items()
        for index in range(number)
    ]


def test_a_line_says_where_what_and_which_kind() -> None:
    finding = Finding("box-empty", "Annotations/a.xml", "no area", "draw it again", line=7, number=2)
    assert str(finding) == "Annotations/a.xml:7: object 2: no area (draw it again) [box-empty]"
    assert str(Finding("no-objects", "a.xml", "none")) == "a.xml: none [no-objects]"


def test_all_are_shown_if_they_fit() -> None:
    assert len(bounded(findings(box_empty=5, box_outside=5), 10)) == 10


def test_rare_kinds_are_not_crowded_out() -> None:
    lines = bounded(findings(box_empty=500, box_outside=300, size_mismatch=2), 20)
    assert len(lines) <= 21
    assert sum("[size-mismatch]" in line for line in lines) == 2
    assert sum("[box-outside]" in line for line in lines) >= 5
    assert lines[-1].startswith("and 78")
    assert "box-empty" in lines[-1]


def test_the_count_of_the_rest_adds_up() -> None:
    lines = bounded(findings(box_empty=50, box_outside=3), 10)
    assert len(lines) - 1 + int(lines[-1].split()[1]) == 53


@pytest.mark.parametrize("limit", [1, 3])
def test_fewer_lines_than_kinds(limit: int) -> None:
    kinds = findings(box_empty=2, box_outside=2, size_mismatch=2, no_objects=2)
    assert len(bounded(kinds, limit)) == limit + 1


def test_lines_are_bounded_and_printable() -> None:
    line = str(Finding("box-empty", "Annotations/a.xml", "x\r\n\x1b[2J" * 1000))
    assert len(line) <= LINE_LENGTH
    assert line.isprintable()
    assert line.startswith("Annotations/a.xml:")


def test_clean_joins_blanks() -> None:
    assert clean(" a\n\tb ", 10) == "a b"
    assert clean("abcdef", 4) == "abc…"


NOTED = {"picture-emptied", "val-duplicate", "corrected"}
"""Notices of pictures that are left out although nothing is wrong with their files."""


def test_only_errors_drop_something() -> None:
    for code, rule in RULES.items():
        assert rule.severity == "error" or rule.drops == "nothing" or code in NOTED


def test_notices_on_a_screen_are_few_of_a_kind_and_questions_come_last() -> None:
    spaces = [Finding("name-with-space", f"a {number}.jpg", "a space") for number in range(40)]
    role = Finding("role-unknown", "data.roles", "unclear")
    lines = notice_lines([role, *spaces])
    assert lines[3:] == ["and 37 more: 37 name-with-space", str(role)]
