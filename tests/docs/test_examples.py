"""`make examples` knows each example of each page, and fails with the page and line of one that fails."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from trained import REPO
from written import every_page

from docs_site.pages import fences
from examples import blocks, lanes, not_run
from examples.blocks import Example
from examples.scenes import SCENES
from examples.statements import statements
from examples.typed import typed

EXAMPLES = REPO / "scripts" / "examples"
PAGE = """\
```bash
word=kept
test "$word" = kept &&
  pwd
```

```python
number = 1
```

```python
assert number == 1
assert number == 2, "two"
```

```bash
touch not-reached
```
"""


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [example for page in blocks.every_page() for example in blocks.examples(page)]


def test_all_pages_are_read() -> None:
    others = re.compile(r"CHANGELOG|\.zh-CN\.md|^scripts/|^\.github/")
    assert blocks.every_page() == [page for page in every_page() if not others.search(page)]


def test_each_line_of_each_block_is_in_an_example(examples: list[Example]) -> None:
    read = {(each.page, each.line + n) for each in examples for n in range(each.code.count("\n"))}
    for page in blocks.every_page():
        for fence in fences((REPO / page).read_text(encoding="utf-8")):
            for number, line in enumerate(fence.code.splitlines(), fence.line):
                is_comment = fence.language in {"", "bash", "sh"} and line.startswith("#")
                assert (page, number) in read or is_comment or not line or fence.language == "pycon"


def test_each_example_is_run_or_the_table_says_why_not(examples: list[Example]) -> None:
    assert not [each.place for each in examples if each.kind == "text" and not not_run.reason_of(each)]


def test_no_entry_of_a_table_is_stale(examples: list[Example]) -> None:
    left_out = [each for each in examples if not_run.reason_of(each)]
    for reason, page, start in not_run.entries():
        assert any(
            each.page == page and each.code.startswith(start) and not_run.reason_of(each) == reason
            for each in left_out
        ), (page, start)
    run = [each for each in examples if each not in left_out]
    for page, scene in SCENES.items():
        for start in (*scene.before, *scene.exits):
            assert any(each.page == page and each.code.startswith(start) for each in run), (page, start)


def test_an_example_that_fails_is_named_and_ends_its_page(tmp_path: Path) -> None:
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    page.write_text(PAGE, encoding="utf-8")
    other.write_text("```\nwhat is this\n```\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, EXAMPLES, "--logs", tmp_path / "logs", page, other],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"FAILED {page}:12: exit code 1" in done.stdout
    assert re.search(r"line 13, in <module>\n.*AssertionError: two", done.stdout, re.DOTALL)
    assert f"{page}:2  word=kept" in done.stdout
    assert "not-reached" not in done.stdout
    assert f"FAILED {other}:2: no example and no entry" in done.stdout
    assert "3 examples of 2 pages run" in done.stdout
    assert list(tmp_path.glob("logs/*/*.log"))


def test_a_port_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setattr(lanes, "PORTS", (port,))
        with pytest.raises(OSError, match=f"port {port}, which the pages use, is taken"):
            lanes.require_ports()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a\nb  # why\n\n# no\nc\n", [(0, "a\n"), (1, "b  # why\n"), (4, "c\n")]),
        ("a \\\n  b\nc\n", [(0, "a \\\n  b\n"), (2, "c\n")]),
        ("for x in 1; do\n  a\ndone\n", [(0, "for x in 1; do\n  a\ndone\n")]),
        ("a 'b\n c'\n", [(0, "a 'b\n c'\n")]),
        ("a <<END\nb\nEND\nc\n", [(0, "a <<END\nb\nEND\n"), (3, "c\n")]),
    ],
)
def test_statements(script: str, expected: list[tuple[int, str]]) -> None:
    assert list(statements(script)) == expected


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("usage", "maskdet data diff A B [--json] [--exit-code]\n", "maskdet data diff A B\n"),
        ("usage", "maskdet models show [OPTIONS] VERSION\n", "maskdet models show --help | "),
        (
            "yaml",
            "name: a\ndata: {root: b}\n",
            "name: a\ndata: {root: b}\nEND\nmaskdet run",
        ),
        (
            "yaml",
            "data:\n  roots: [{root: b}]\n",
            "data:\n  roots:\n  - root: b\nname: example\nEND\n",
        ),
        ("shell", "make\n", "make\n"),
    ],
)
def test_what_a_reader_types(kind: str, code: str, expected: str) -> None:
    example = Example("page.md", 1, kind, code)
    assert expected in typed(example, "p.yml")
