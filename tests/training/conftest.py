from __future__ import annotations

from pathlib import Path

import pytest
from trained import DrawnSet, Trained, draw_faces, make_job, run_training


@pytest.fixture(autouse=True)
def workers(workers_import_maskdet: None) -> None:
    """Every test here may start some."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DrawnSet:
    return draw_faces(tmp_path_factory.mktemp("drawn"), 32)


@pytest.fixture(scope="session")
def trained(
    drawn: DrawnSet, workers_import_maskdet: None, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """An unbroken training of three epochs, for tests that leave it as it is."""
    job = make_job(tmp_path_factory.mktemp("trained") / "épreuve 训练", drawn, epochs=3)
    return run_training(job, drawn)


@pytest.fixture(scope="session")
def best(trained: Trained) -> Path:
    return trained.job.out / "best.pdparams"
