"""The reference pages say what the code says, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

import maskdet
from maskdet.pipeline.file.schema import PipelineFile
from write_reference.__main__ import pages as written
from write_reference.language import Chinese, English, chinese
from write_reference.server import metrics

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PIPELINE_FILE = DOCS / "pipeline-file.md"
PATHS = [
    f"{name}{suffix}"
    for name in (
        "pipeline-file",
        "reference/cli",
        "reference/errors",
        "reference/http",
        "reference/metrics",
        "reference/python",
    )
    for suffix in (".md", ".zh-CN.md")
]


@pytest.fixture(scope="module")
def in_chinese() -> Chinese:
    """The Chinese that all pages were written in."""
    return chinese()


@pytest.fixture(scope="module")
def pages(in_chinese: Chinese) -> dict[str, str]:
    """All pages as the script would write them, by their paths within docs/."""
    return {**written(English()), **written(in_chinese)}


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key that holds a value rather than a section; then those of sections, and of listed sections."""
    fields: dict[str, Any] = {name: field.annotation for name, field in model.model_fields.items()}
    inner = {name: kind for name, kind in fields.items() if is_section(kind)}
    yield from (f"{prefix}{name}" for name in fields if name not in inner)
    for name, section in inner.items():
        yield from keys(section, f"{prefix}{name}.")
    for name, annotation in fields.items():
        for kind in filter(is_section, parts(annotation)):
            yield from keys(kind, f"{prefix}{name}.N.")


def is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def parts(annotation: Any) -> Iterator[Any]:
    """The types within one such as tuple[Section, ...] | None."""
    for inner in get_args(annotation):
        yield inner
        yield from parts(inner)


@pytest.mark.parametrize("path", PATHS)
def test_the_page_is_up_to_date(pages: dict[str, str], path: str) -> None:
    assert (DOCS / path).read_text(encoding="utf-8") == pages[path], "run scripts/write_reference"


def test_every_page_is_compared(pages: dict[str, str]) -> None:
    assert sorted(pages) == sorted(PATHS)


def test_the_catalogue_has_what_the_pages_say_and_nothing_else(
    pages: dict[str, str], in_chinese: Chinese
) -> None:
    assert pages
    assert not list(in_chinese.missing), "translate them in scripts/write_reference/zh-CN.yml"
    assert not in_chinese.stale, "remove them from scripts/write_reference/zh-CN.yml"


def test_a_sentence_without_a_translation_is_named() -> None:
    say = Chinese({"Known.": "已知。", "Gone.": "已无。"})
    assert [say("Known."), say("Not  known.")] == ["已知。", "Not known."]
    assert (list(say.missing), say.stale) == (["Not known."], ["Gone."])


def test_every_key_has_a_row() -> None:
    rows = first_cells(PIPELINE_FILE)
    assert rows == sorted(rows, key=list(keys(PipelineFile)).index)
    assert set(rows) == set(keys(PipelineFile))


def test_every_public_name_is_explained() -> None:
    page = (DOCS / "reference/python.md").read_text(encoding="utf-8")
    errors = (DOCS / "reference/errors.md").read_text(encoding="utf-8")
    for name in set(maskdet.__all__) - {"__version__"}:
        assert f"maskdet.{name}\n" in page or f"`maskdet.{name}`" in errors


def test_every_metric_that_the_server_answers_with_has_a_row() -> None:
    text, _ = metrics().exposition()
    answered = {line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE")}
    rows = {row.removesuffix("_total") for row in first_cells(DOCS / "reference/metrics.md")}
    assert {name.removesuffix("_total").removesuffix("_created") for name in answered} <= rows


def first_cells(page: Path) -> list[str]:
    """The code in the first column of its tables."""
    return [
        line.split("`")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
