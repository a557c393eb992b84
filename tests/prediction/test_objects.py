"""Keys of an object store as places of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.errors import UsageError
from maskdet.prediction import objects
from maskdet.prediction.objects import list_objects


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What lies below s3://bucket/photos."""
    listed: list[str] = []
    monkeypatch.setattr(objects, "_located", lambda address: (None, "bucket/photos"))
    monkeypatch.setattr(objects, "_files", lambda system, place: iter(listed))
    return listed


def test_a_result_lies_where_its_key_does(keys: list[str]) -> None:
    keys += ["bucket/photos/b/..a.jpg", "bucket/photos/a.jpg"]
    assert list(list_objects("s3://bucket/photos")) == [
        ("s3://bucket/photos/a.jpg", Path("a.jpg")),
        ("s3://bucket/photos/b/..a.jpg", Path("b", "..a.jpg")),
    ]


@pytest.mark.parametrize("key", ["../../../../tmp/evil.jpg", "a/../b.jpg", "..\\evil.jpg"])
def test_a_key_that_leads_out_of_the_results_is_refused_by_name(keys: list[str], key: str) -> None:
    keys += ["bucket/photos/a.jpg", f"bucket/photos/{key}"]
    with pytest.raises(UsageError, match="leads out of") as caught:
        list(list_objects("s3://bucket/photos"))
    assert f"s3://bucket/photos/{key}" in caught.value.what
