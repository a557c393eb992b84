from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FrameType

import pytest
from trained import REPO, Trained, draw_crowds, made_once, make_job, run_training
from typer.main import get_command


def _pass_over(number: int, frame: FrameType | None) -> None:
    del number, frame


# A signal that nohup, or a shell's background job, has ignored would be so for every process that the tests
# start and signal. One that is passed over here is back to its default there.
for _name in ("SIGINT", "SIGHUP"):
    if getattr(signal, _name, None) and signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), _pass_over)

# The worker's package puts empty modules in the place of what training does not use; in this process other
# tests use it, whichever is collected first.
for _name in ("httpx", "requests", "scipy.io", "scipy.ndimage", "scipy.optimize"):
    with suppress(ImportError):
        import_module(_name)

# Thousands of tests live as long as the run: the collector need not walk through them again and again.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: begun last, the longest would run alone at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def all_imported_first() -> None:
    """Import the package but for what runs in the workers' own processes.

    A module that is first imported while a test has one of its imports patched would keep the patch.
    """
    for file in sorted((REPO / "maskdet").rglob("[!_]*.py")):
        module = file.relative_to(REPO).with_suffix("").parts
        if "worker" not in module:
            with suppress(ImportError):
                import_module(".".join(module))


@pytest.fixture(scope="session", autouse=True)
def commands_built_once() -> Iterator[None]:
    """Typer's runner would build all commands anew for each call of one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(scope="session")
def workers_import_maskdet() -> Iterator[None]:
    """Training workers find the package wherever pytest was started, and run on one thread each.

    Two threads gain little on a network this small, and on a busy machine they wait for each other: 340 s
    were seen instead of 60 s.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPO))
        patch.setattr("maskdet.training.launch.process.threads_of_each", lambda processes: 1)
        yield


@pytest.fixture(scope="session")
def skilled(workers_import_maskdet: None, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A training of 80 steps that really learns to find the faces of `draw_crowds`."""

    def make(folder: Path) -> Trained:
        data = draw_crowds(folder / "voc", 6).dealt(train=[0, 1, 2, 3] * 4, val=[4, 5])
        settings = {"epochs": 20, "learning_rate": 0.05, "evaluate_every": 5}
        job = make_job(folder / "job", data, side=160, plain=True, **settings)
        return run_training(job, data)

    return made_once(tmp_path_factory, "skilled", make)
