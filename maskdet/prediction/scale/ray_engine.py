"""The engine `ray`: chunks of pictures scored by Ray Data, each result on disk as soon as it is there."""

from __future__ import annotations

import json
import warnings
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskdet.detector.bundle import Bundle
from maskdet.errors import MaskdetError, UsageError
from maskdet.prediction.predict import Work
from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.scale.chunks import PARTS, Chunk, ChunkStore, chunks_of, fingerprint_of
from maskdet.prediction.scale.parcel import source_to_json
from maskdet.prediction.scale.ray_session import ray_session
from maskdet.prediction.scale.scorer import Order, Scorer
from maskdet.prediction.sources import Source
from maskdet.progress import Track, silent
from maskdet.system.machine import core_count

_AT_A_TIME = 2
"""Chunks that a worker is given ahead; Ray Data hands out no more until a result was taken."""
_RESTARTS = 16
"""Of one worker. A picture that ends its worker each time must not go on for ever."""
_RETRIES = 3
"""Of one chunk whose worker died."""


class RayEngine:
    """Partial results lie below `out`, so the same command continues where a stopped one ended."""

    def __init__(
        self,
        bundle: Bundle,
        out: Path,
        *,
        threshold: float | None = None,
        workers: int | None = None,
        track: Track = silent,
    ) -> None:
        self._bundle, self._out, self._threshold, self._track = bundle, out, threshold, track
        self._workers = workers or core_count()
        self._store: ChunkStore | None = None

    def outcomes(self, work: Work, sources: Sequence[Source]) -> Generator[Prediction | Failure]:
        """Raises UsageError for a video, EnvironmentProblem without Ray, MaskdetError if its workers fail."""
        if video := next((source for source in sources if source.kind == "video"), None):
            raise UsageError(f"{video.name} is a video", "leave out --engine ray for videos")
        absolute = [_absolute(source) for source in sources]
        bundle = self._bundle
        options = (self._threshold, work.look, work.drawings)
        store = self._store = ChunkStore(self._out / PARTS, fingerprint_of(bundle.sha256, options, sources))
        chunks, given = chunks_of(sources), chunks_of(absolute)
        drawings = work.drawings.absolute() if work.drawings else None
        order = Order(bundle.path.absolute(), bundle.sha256, self._threshold, work.look, drawings)
        self._score([chunk for chunk in given if not store.has(chunk)], order, store)
        for chunk in chunks:
            yield from store.outcomes(chunk)

    def finish(self) -> None:
        """Remove the partial results."""
        if self._store is not None:
            self._store.clear()

    def _score(self, chunks: Sequence[Chunk], order: Order, store: ChunkStore) -> None:
        if not chunks:
            return
        with ray_session(self._workers) as ray:
            try:
                # Closed before Ray is: its threads would go on asking it.
                with closing(_scored(ray, chunks, order, self._workers)) as rows:
                    for row in self._track(rows, "score", len(chunks)):
                        store.add(int(row["number"]), row["outcomes"])
            except ray.exceptions.RayError as error:
                raise MaskdetError(
                    f"Ray's workers failed: {' '.join(str(error).split())[-300:]}",
                    "the same command continues with the pictures that are left",
                ) from error


def _scored(ray: Any, chunks: Sequence[Chunk], order: Order, workers: int) -> Generator[dict[str, Any]]:
    """A row for each chunk, as they get ready."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    rows = ray.data.from_items([_row(chunk) for chunk in chunks], override_num_blocks=len(chunks))
    pool = ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=_AT_A_TIME)
    limits = {"max_restarts": _RESTARTS, "max_task_retries": _RETRIES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray 2.60 calls the limits deprecated, and has no others
        scored = rows.map(Scorer, fn_constructor_args=(order,), compute=pool, num_cpus=1, **limits)
    yield from scored.iter_rows()


def _row(chunk: Chunk) -> dict[str, Any]:
    return {"number": chunk.number, "sources": json.dumps([source_to_json(each) for each in chunk.sources])}


def _absolute(source: Source) -> Source:
    """Workers have another current directory."""
    return source if source.address else replace(source, path=source.path.absolute())
