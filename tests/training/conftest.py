from __future__ import annotations

from pathlib import Path

import pytest
from trained import DrawnSet, Trained, draw_faces, made_once, make_job, run_training


@pytest.fixture(autouse=True)
def workers(workers_import_maskdet: None) -> None:
    """Every test here may start some."""


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DrawnSet:
    return made_once(tmp_path_factory, "drawn", lambda folder: draw_faces(folder, 32))


@pytest.fixture(scope="session")
def trained(
    drawn: DrawnSet, workers_import_maskdet: None, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """An unbroken training of three epochs, for tests that leave it as it is."""

    def make(folder: Path) -> Trained:
        return run_training(make_job(folder / "épreuve 训练", drawn, epochs=3), drawn)

    return made_once(tmp_path_factory, "trained", make)


@pytest.fixture(scope="session")
def best(trained: Trained) -> Path:
    return trained.job.out / "best.pdparams"
