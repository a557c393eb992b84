"""The sessions of a model: on the CPU as wide as measures fastest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from maskdet.detector.bundle import load_bundle
from maskdet.serving.engine import opening
from maskdet.serving.engine.opening import Opening
from maskdet.serving.settings import ServeSettings


@pytest.mark.parametrize(("cores", "opened"), [(1, []), (2, [2]), (8, [8, 4, 2])])
def test_a_cpu_with_many_cores_tries_fewer_threads(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, cores: int, opened: list[int]
) -> None:
    asked: list[int] = []
    real = opening.open_session

    def noted(model: bytes, *, threads: int, **options: Any) -> Any:
        asked.append(threads)
        return real(model, threads=1, **options)

    monkeypatch.setattr(opening, "open_session", noted)
    monkeypatch.setattr(opening, "fastest", lambda sessions, run: sessions[min(sessions)])
    bundle, passes = load_bundle(tiny_bundle), []
    one = Opening(bundle, ServeSettings(), cores=cores)
    first, _ = one.first()
    sessions, plan = one.measured(first, lambda session, pictures: passes.append(pictures))
    assert asked == opened
    assert isinstance(sessions, opening.Sessions)
    assert sessions.narrow is bundle.session
    assert plan.pictures == 1
    assert set(passes) == {1}
