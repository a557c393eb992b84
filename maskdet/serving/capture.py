"""Captures: chooses served pictures for the inbox, on a thread of its own that no request waits for."""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.detector.answer import answer
from maskdet.detector.picture import PictureLimits, decode, decode_reduced
from maskdet.inbox.caps import Caps
from maskdet.inbox.encoding import bare_picture, blurred
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.policy import (
    MIRROR,
    MODELS,
    NEAR,
    RANDOM,
    UNCERTAIN,
    disagreement,
    doubtful,
    near_threshold,
)
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import Edges, Origin, ProposedFace
from maskdet.inbox.refusals import InboxBusy, InboxFull
from maskdet.serving.engine.engine import Engine, ResultOrError
from maskdet.serving.engine.served_model import PictureResult, Work, bundle_id
from maskdet.serving.settings import ServeSettings
from maskdet.types import BoolArray, Detections, Picture

MAX_WAITING = 16
"""Pictures waiting for the thread; more are dropped and counted."""
MAX_WAITING_BYTES = 64 * 1024**2
REST = 9.0
"""The thread rests this many times as long as a picture took it: it uses a tenth of a core at most."""
PAUSE_SECONDS = 60.0
"""Longest time for which nothing is looked at, once the caps or the disk are exhausted."""
CHECK = "check"

logger = logging.getLogger("maskdet.capture")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answered picture, why it may be captured, and its camera."""

    work: Work
    result: PictureResult
    why: str
    camera: str

    @property
    def size(self) -> int:
        source = self.work.source
        return len(source) if isinstance(source, bytes) else source.nbytes


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a picture is captured, its faces, and the boxes of the faces that are not in dispute."""

    why: str
    faces: list[ProposedFace]
    settled: list[Edges]


class Capture:
    """`offer` takes microseconds on the event loop; everything else happens on the thread."""

    def __init__(self, inbox: Inbox, settings: ServeSettings, engine: Engine) -> None:
        self._inbox = inbox
        self._settings = settings.capture
        self._caps = Caps(settings.capture.per_minute, settings.capture.per_hour, settings.capture.per_day)
        self._limits = PictureLimits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
        self._engine = engine
        self._count = engine.metrics.captured
        self._waiting: queue.Queue[Candidate] = queue.Queue(MAX_WAITING)
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        self._closed_until = 0.0
        self._next_check = 0.0
        self._random = random.Random()  # noqa: S311  (no secret depends on it)
        self._thread = threading.Thread(target=self._work, name="capture", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, works: Sequence[Work], outcomes: Sequence[ResultOrError], camera: str) -> None:
        """Look at the answers of one request; never waits, never raises."""
        if time.monotonic() < self._closed_until:
            return
        for work, outcome in zip(works, outcomes, strict=True):
            if isinstance(outcome, PictureResult) and (why := self._why(outcome)):
                self._put(Candidate(work, outcome, why, camera))

    def _why(self, result: PictureResult) -> str:
        wanted = self._settings
        # First, and whatever the answer: else it would be no fair sample.
        if wanted.random_share and self._random.random() < wanted.random_share:
            return RANDOM
        if wanted.uncertain and result.verdict.outcome == "uncertain":
            return UNCERTAIN
        if wanted.band and _near(result, wanted.band).any():
            return NEAR
        if wanted.checks and time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + 60 / wanted.checks_per_minute
            return CHECK
        return ""

    def _put(self, candidate: Candidate) -> None:
        with self._counting:
            room = MAX_WAITING_BYTES - self._waiting_bytes
            if candidate.size > room or self._waiting.full():
                self._count(candidate.why, "dropped")
                return
            self._waiting_bytes += candidate.size
        self._waiting.put(candidate)

    # On the thread.

    def _work(self) -> None:
        while True:
            candidate = self._waiting.get()
            started = time.perf_counter()
            self._count(*self._outcome(candidate))
            with self._counting:
                self._waiting_bytes -= candidate.size
            del candidate  # its picture would stay in memory while the thread waits
            time.sleep(min(PAUSE_SECONDS, REST * (time.perf_counter() - started)))

    def _outcome(self, candidate: Candidate) -> tuple[str, str]:
        """Why, and what became of it."""
        try:
            wait = self._inbox.capture_wait(self._caps)
            if wait > 0:
                self._pause(wait)
                return candidate.why, "capped"
            finding = self._finding(candidate)
            if isinstance(finding, str):
                return candidate.why, finding
            return finding.why, self._stored(candidate, finding)
        except InboxFull as error:
            self._pause(PAUSE_SECONDS)
            logger.warning("not captured", extra={"fields": {"why": candidate.why, "error": error.what}})
            return candidate.why, "full"
        except InboxBusy:
            return candidate.why, "busy"
        # The thread must survive any picture.
        except Exception:
            logger.exception("capture failed")
            return candidate.why, "failed"

    def _pause(self, seconds: float) -> None:
        self._closed_until = time.monotonic() + min(PAUSE_SECONDS, seconds)

    def _finding(self, candidate: Candidate) -> Finding | str:
        """What to capture; or why nothing is captured."""
        result = candidate.result
        found, sure = result.candidates, _sure(result)
        if candidate.why == CHECK:
            return self._checked(candidate)
        if candidate.why == UNCERTAIN:
            disputed = doubtful(found, sure, result.thresholds, result.model.rule)
        elif candidate.why == NEAR:
            disputed = _near(result, self._settings.band)
        else:
            disputed = np.zeros(len(found), np.bool_)
        return _finding(candidate.why, result, found.select(disputed), [])

    def _checked(self, candidate: Candidate) -> Finding | str:
        """A second opinion, if the engine has nothing else to do."""
        result = candidate.result
        sure, labels = _sure(result), result.model.meta.labels
        for why in (MODELS, MIRROR):
            second = self._second(why, candidate)
            if second is None:
                return "busy"
            other, names = second
            ours, theirs = disagreement(sure, other, labels, names)
            if ours.any() or theirs.any():
                return _finding(why, result, sure.select(ours), _proposed(other.select(theirs), names, True))
        return "agreed"

    def _second(self, why: str, candidate: Candidate) -> tuple[Detections, tuple[str, ...]] | None:
        """The second answer and its labels; the first one if that policy is off; None if there is no time."""
        result, name = candidate.result, self._settings.second_model
        wanted = self._settings.mirror if why == MIRROR else name not in ("", result.model.name)
        if not wanted:
            return _sure(result), result.model.meta.labels
        if why == MODELS:
            second = self._engine.spare(Work(candidate.work.source, name))
            return (second.detections, second.model.meta.labels) if second else None
        pixels = self._mirrored(candidate)
        second = self._engine.spare(Work(pixels, result.model.name, candidate.work.threshold))
        # A swap in between would compare two models.
        if second is None or second.model is not result.model:
            return None
        return _mirrored_back(second.detections, pixels, result.size), result.model.meta.labels

    def _mirrored(self, candidate: Candidate) -> Picture:
        source = candidate.work.source
        if isinstance(source, bytes):
            least = candidate.result.model.meta.input_size
            source = decode_reduced(source, self._limits, at_least=least).pixels
        return np.ascontiguousarray(source[:, ::-1])

    def _stored(self, candidate: Candidate, finding: Finding) -> str:
        source, result = candidate.work.source, candidate.result
        pixels = decode(source, self._limits) if isinstance(source, bytes) else source
        hidden = finding.settled if self._settings.blur_others else []
        if hidden:
            pixels = blurred(pixels, hidden, [face.box for face in finding.faces if face.disputed])
        model = result.model
        version = "" if model.version is None else str(model.version)
        origin = Origin(model=model.name, bundle=bundle_id(model), version=version, camera=candidate.camera)
        proposal = Proposal(bare_picture(pixels), pixels, finding.faces, finding.why, origin, hidden)
        return "stored" if self._inbox.propose(proposal, caps=self._caps) else "duplicate"


def _sure(result: PictureResult) -> Detections:
    """The whole answer, whatever number of faces the client asked for."""
    return answer(result.candidates, result.thresholds)


def _near(result: PictureResult, band: float) -> BoolArray:
    return near_threshold(result.candidates, _sure(result), result.thresholds, band)


def _finding(why: str, result: PictureResult, disputed: Detections, more: list[ProposedFace]) -> Finding:
    """The answer's faces, the disputed ones marked; and those in dispute that the answer does not have."""
    labels = result.model.meta.labels
    marked = _proposed(disputed, labels, True)
    boxes = {face.box for face in marked}
    plain = [face for face in _proposed(_sure(result), labels, False) if face.box not in boxes]
    settled = [face.box for face in _proposed(result.candidates, labels, False) if face.box not in boxes]
    return Finding(why, [*marked, *more, *plain], settled)


def _proposed(found: Detections, labels: Sequence[str], disputed: bool) -> list[ProposedFace]:
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True)
    return [
        ProposedFace(label=labels[number], box=tuple(box), score=round(score, 4), disputed=disputed)
        for box, score, number in rows
    ]


def _mirrored_back(found: Detections, pixels: Picture, size: tuple[int, int]) -> Detections:
    """Boxes of the mirrored, perhaps reduced `pixels` in those of the picture of `size` (height, width)."""
    width = pixels.shape[1]
    back = found.boxes[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
    back += np.array([width, 0, width, 0], np.float32)
    scale = np.array([size[1] / width, size[0] / pixels.shape[0]] * 2, np.float32)
    return Detections(back * scale, found.scores, found.class_ids)
