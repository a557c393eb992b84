"""What every route needs: the engine, the body reader, the settings, and one way to call the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import Request, Response

from maskdet.errors import MaskdetError
from maskdet.inbox.inbox import Inbox
from maskdet.serving.capture.capture import Capture
from maskdet.serving.engine.engine import Engine, ResultOrError
from maskdet.serving.engine.metrics import Metrics
from maskdet.serving.engine.served_model import PictureResult, Work, bundle_id
from maskdet.serving.http.access import answered_by, note
from maskdet.serving.http.body import BodyReader, HeldBody
from maskdet.serving.http.camera import CameraTags
from maskdet.serving.http.inputs import check_files
from maskdet.serving.http.peer import peer_of
from maskdet.serving.http.unpacking import AT_ONCE_BYTES, Unpacker
from maskdet.serving.refusals import WrongType
from maskdet.serving.settings import ServeSettings

COMPRESSIONS = ("br", "compress", "deflate", "gzip", "x-gzip", "zstd")
"""Content encodings, none of which is read: a few bytes could become any number."""

FACE_BYTES = 1024
"""Cost of writing a face, as the bytes of a picture that costs as much."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """The running parts, passed to each module of routes."""

    engine: Engine
    reader: BodyReader
    settings: ServeSettings
    metrics: Metrics
    refused: Callable[[], Mapping[str, str]] = dict
    """By model, why its newest bundle was refused."""
    unpacker: Unpacker = field(default_factory=Unpacker)
    inbox: Inbox | None = None
    capture: Capture | None = None
    cameras: CameraTags = field(default_factory=CameraTags)

    def body(self, request: Request) -> HeldBody:
        """The request's body, unless there is no room for its pictures, which is checked before it is read.

        For `async with`. Raises like `BodyReader.body`, and Busy, Draining or WrongType.
        """
        _check_encoding(request.headers.getlist("content-encoding"))
        self.engine.check_room()
        return self.reader.body(request)

    async def outcomes(self, request: Request, works: Sequence[Work]) -> list[ResultOrError]:
        """One result or error for each picture; abandoned if the client leaves.

        Raises BodyTooLarge (too many pictures), UnknownModel, BadOption, Busy, Draining or ClientGone.
        """
        check_files(works, self.settings.max_files)
        outcomes = await peer_of(request.scope).unless_gone(self.engine.submit_all(works))
        self.note(request, outcomes)
        if self.capture is not None:
            self.capture.offer(works, outcomes, self.cameras.of(request))
        return outcomes

    async def results(self, request: Request, works: Sequence[Work]) -> list[PictureResult]:
        """Like `outcomes`, for dialects that process all pictures or none: the first error is raised."""
        results = []
        for outcome in await self.outcomes(request, works):
            if isinstance(outcome, MaskdetError):
                raise outcome
            results.append(outcome)
        return results

    async def unpacked(self, work: Callable[[], T], *, heavy: bool) -> T:
        """The result of `work` on a body, without blocking other requests."""
        return await self.unpacker.run(work, heavy=heavy)

    async def written(self, outcomes: Sequence[ResultOrError], work: Callable[[], Response]) -> Response:
        """The response written by `work`, without blocking other requests."""
        size = sum(_written_bytes(one) for one in outcomes if isinstance(one, PictureResult))
        return await self.unpacker.run(work, heavy=size > AT_ONCE_BYTES)

    def note(self, request: Request, outcomes: Sequence[ResultOrError]) -> None:
        """Record the pictures in the access log and the metrics, by camera."""
        results = [outcome for outcome in outcomes if isinstance(outcome, PictureResult)]
        camera = self.cameras.of(request)
        self.engine.ledger.enter(lambda: self._count(results, camera, len(outcomes) - len(results)))
        bundles = ",".join(dict.fromkeys(bundle_id(result.model) for result in results))
        versions = list(dict.fromkeys(one.model.version for one in results if one.model.version is not None))
        answered_by(request.scope, bundles, ",".join(map(str, versions)))
        note(
            request.scope,
            pictures=len(outcomes),
            faults=len(outcomes) - len(results),
            bundle=bundles,
            threshold_policy=",".join(dict.fromkeys(result.policy for result in results)),
            verdicts=[result.verdict.outcome for result in results],
            **({"versions": versions} if versions else {}),
            **({"camera": camera} if camera else {}),
        )

    def _count(self, results: list[PictureResult], camera: str, faults: int) -> None:
        for result in results:
            self.metrics.result(result, camera)
        self.engine.monitor.observe(results, camera, faults)


def _check_encoding(headers: Sequence[str]) -> None:
    for encoding in (one.strip() for header in headers for one in header.split(",")):
        # Only these: some clients name a charset here, and their bodies are plain.
        if encoding.lower() in COMPRESSIONS:
            raise WrongType(
                f"the body is compressed with {encoding}", "send it without Content-Encoding, as it is"
            )


def _written_bytes(result: PictureResult) -> int:
    faces = len(result.detections) + len(result.candidates)
    return faces * FACE_BYTES + len(result.drawn or b"")
