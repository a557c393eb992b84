"""docs/pipeline-file.md says what the schema says."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from maskdet.pipeline.schema import PipelineFile

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "pipeline-file.md"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key that holds a value rather than a section, those of listed sections last."""
    for name, field in model.model_fields.items():
        kind: Any = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
    for name, field in model.model_fields.items():
        for kind in get_args(next(iter(get_args(field.annotation)), None)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from keys(kind, f"{prefix}{name}.N.")


def test_the_page_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY / "scripts")
    written = PAGE.read_text(encoding="utf-8")
    assert written == import_module("write_reference").reference(), "run scripts/write_reference.py"


def test_every_key_has_a_row() -> None:
    rows = [
        line.split("`")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert rows == sorted(rows, key=list(keys(PipelineFile)).index)
    assert set(rows) == set(keys(PipelineFile))
