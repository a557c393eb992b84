"""Scoring by Ray: the results of plain predict, whatever is killed in between, and each picture once."""

from __future__ import annotations

import gc
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from support import COLOURS, write_tiny_bundle

from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.detector import Detector
from maskdet.detector.tiling import PLAIN
from maskdet.errors import BundleError
from maskdet.prediction.predict import predict
from maskdet.prediction.scale.chunks import PARTS, ChunkStore, chunks_of, fingerprint_of
from maskdet.prediction.scale.parcel import source_to_json
from maskdet.prediction.scale.ray_engine import RayEngine
from maskdet.prediction.scale.scorer import Order, Scorer
from maskdet.prediction.sources import find_sources
from maskdet.progress import T

pytestmark = [
    # Not importorskip: Ray reads its environment when it is first imported, and the engine sets that.
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed"),
    pytest.mark.filterwarnings("ignore"),  # Ray warns of its own future
]
COUNT = 60
DAMAGED = "picture_007.png"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small pictures with one to three faces each, one of them damaged."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(COUNT):
        pixels = np.zeros((64, 64, 3), np.uint8)
        for place in range(1 + number % 3):
            pixels[8 * place : 8 * place + 8, 8:16] = COLOURS[(number + place) % 3]
        Image.fromarray(pixels).save(folder / f"picture_{number:03}.png")
    (folder / DAMAGED).write_bytes(b"no picture")
    return folder


def workers_of_ray() -> list[psutil.Process]:
    """The processes that score; Ray names them after what they run."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with _gone_is_fine():
            if "Scorer" in " ".join(process.cmdline()):
                found.append(process)
    return found


def ray_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("md-ray-*"))


class _gone_is_fine:  # noqa: N801 - reads as a statement
    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> bool:
        return kind is not None and issubclass(kind, psutil.Error)


class KillsAWorker:
    """A track that kills one of the scoring processes once the first chunk is there."""

    def __init__(self) -> None:
        self.killed: set[int] = set()
        self.seen = self.total = 0

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        self.total = total or 0
        for number, item in enumerate(items):
            if number == 1:
                victim = workers_of_ray()[0]
                os.kill(victim.pid, signal.SIGKILL)
                self.killed.add(victim.pid)
            self.seen += 1
            yield item


@pytest.mark.slow
def test_a_killed_worker_and_a_stopped_run_lose_and_repeat_nothing(bundle, pictures, tmp_path):
    loaded = load_bundle(bundle)
    detector = Detector(loaded, threads=1)
    formats = ("json", "csv")
    plain = predict(detector, [str(pictures)], formats=formats, out=tmp_path / "plain")

    out, killer, before = tmp_path / "ray", KillsAWorker(), ray_folders()
    already = _leave_finished_chunks(loaded, pictures, out)
    engine = RayEngine(loaded, out, workers=2, track=killer)
    done = predict(detector, [str(pictures)], formats=formats, out=out, engine=engine)
    assert killer.killed
    assert (
        killer.seen == killer.total == len(chunks_of(find_sources([str(pictures)], leave_out=out))) - already
    )
    assert (done.pictures, done.faces) == (COUNT - 1, plain.faces)
    assert [failure.file for failure in done.failures] == [(pictures / DAMAGED).as_posix()]
    for name in ("predictions.json", "predictions.csv"):
        assert (out / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert not (out / PARTS).exists()
    _nothing_is_left_behind(before)


def _leave_finished_chunks(bundle: Bundle, pictures: Path, out: Path) -> int:
    """What a run that was stopped after three chunks leaves: scored as in a worker."""
    sources = find_sources([str(pictures)], leave_out=out)
    store = ChunkStore(out / PARTS, fingerprint_of(bundle.sha256, (None, PLAIN, None), sources))
    scorer = Scorer(Order(bundle.path, bundle.sha256, None, PLAIN, None))
    finished = chunks_of(sources)[:6:2]
    for chunk in finished:
        sources_text = json.dumps([source_to_json(source) for source in chunk.sources])
        store.add(chunk.number, scorer({"number": chunk.number, "sources": sources_text})["outcomes"])
    return len(finished)


def test_a_model_that_was_replaced_meanwhile_is_not_used(bundle):
    with pytest.raises(BundleError, match="was replaced meanwhile"):
        Scorer(Order(bundle, "0" * 64, None, PLAIN, None))


def _nothing_is_left_behind(before: set[Path]) -> None:
    def alive() -> list[str]:
        found = []
        for process in psutil.Process().children(recursive=True):
            with _gone_is_fine():
                found.append(" ".join(process.cmdline()))
        return [line for line in found if "ray" in line]

    until = time.monotonic() + 30
    while alive() and time.monotonic() < until:
        time.sleep(0.1)
    assert alive() == []
    assert ray_folders() <= before
    gc.collect()  # here, where warnings of processes that Ray has ended but not waited for are passed over
