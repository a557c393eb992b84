"""Partial results: one file for each chunk of pictures, whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.scale.parcel import outcome_from_json
from maskdet.prediction.sources import Source
from maskdet.system.asides import remove, sweep
from maskdet.system.files import json_lines, write_json, write_text

PARTS: Final = ".parts"
"""In the folder of the results, until they are complete."""
_JOB = "job.json"
_LEAST, _MOST = 4, 64
"""Pictures in a chunk: what a killed worker has to do again at most."""
_CHUNKS = 64
"""Wanted at least, so that all workers have work until the end."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the pictures, in their order."""

    number: int
    sources: tuple[Source, ...]


def chunks_of(sources: Sequence[Source]) -> list[Chunk]:
    """The same for the same number of pictures."""
    size = min(_MOST, max(_LEAST, -(-len(sources) // _CHUNKS)))
    starts = range(0, len(sources), size)
    return [Chunk(number, tuple(sources[start : start + size])) for number, start in enumerate(starts)]


class ChunkStore:
    """The results of finished chunks, for the job of that fingerprint only."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        if _fingerprint_in(folder) != fingerprint:
            remove(folder)
            write_json(folder / _JOB, {"fingerprint": fingerprint})
        sweep(folder)

    def has(self, chunk: Chunk) -> bool:
        return self._place(chunk.number).is_file()

    def add(self, number: int, text: str) -> None:
        """`text` has a JSON line for each picture of the chunk."""
        write_text(self._place(number), text)

    def outcomes(self, chunk: Chunk) -> Iterator[Prediction | Failure]:
        lines = json_lines(self._place(chunk.number).read_text(encoding="utf-8"))
        for line, source in zip(lines, chunk.sources, strict=True):
            yield outcome_from_json(json.loads(line), source)

    def clear(self) -> None:
        remove(self._folder)

    def _place(self, number: int) -> Path:
        return self._folder / f"{number:07}.jsonl"


def fingerprint_of(model_sha256: str, options: Sequence[object], sources: Sequence[Source]) -> str:
    """Hash of what the results depend on: the model, the options, and each picture's name, size and time."""
    digest = hashlib.sha256(f"{model_sha256}\0{options}".encode())
    for source in sources:
        digest.update(f"{source.name}\0{source.drawn}\0{_stamp(source)}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _stamp(source: Source) -> str:
    if source.address:
        return ""
    try:
        stat = source.path.stat()
    except OSError:
        return "unreadable"
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _fingerprint_in(folder: Path) -> str:
    try:
        return str(json.loads((folder / _JOB).read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
