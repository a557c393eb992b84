"""Looks at answers on the event loop, and stores what a policy chooses on a thread of its own."""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Sequence

import numpy as np

from maskdet.detector.picture import PictureLimits, decode
from maskdet.inbox.caps import Caps
from maskdet.inbox.encoding import bare_picture, blurred
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.policy import NEAR, RANDOM, UNCERTAIN, doubtful
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import Origin
from maskdet.inbox.refusals import InboxBusy, InboxFull
from maskdet.serving.capture.candidate import Candidate, Finding, finding, near, sure
from maskdet.serving.capture.second_opinion import SecondOpinion
from maskdet.serving.engine.engine import Engine, ResultOrError
from maskdet.serving.engine.served_model import PictureResult, Work, bundle_id
from maskdet.serving.settings import ServeSettings

MAX_WAITING = 16
"""Pictures waiting for the thread; more are dropped and counted."""
MAX_WAITING_BYTES = 64 * 1024**2
REST = 9.0
"""The thread rests this many times as long as a picture took it: it uses a tenth of a core at most."""
PAUSE_SECONDS = 60.0
"""Longest time for which nothing is looked at, once the caps or the disk are exhausted."""
CHECK = "check"

logger = logging.getLogger("maskdet.capture")


class Capture:
    """`offer` takes microseconds on the event loop; everything else happens on the thread."""

    def __init__(self, inbox: Inbox, settings: ServeSettings, engine: Engine) -> None:
        self._inbox = inbox
        self._settings = settings.capture
        self._caps = Caps(settings.capture.per_minute, settings.capture.per_hour, settings.capture.per_day)
        self._limits = PictureLimits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
        self._second_opinion = SecondOpinion(engine, settings.capture, self._limits)
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
        if wanted.band and near(result, wanted.band).any():
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
            chosen = self._finding(candidate)
            if isinstance(chosen, str):
                return candidate.why, chosen
            return chosen.why, self._stored(candidate, chosen)
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
        if candidate.why == CHECK:
            return self._second_opinion.on(candidate)
        result, found = candidate.result, candidate.result.candidates
        if candidate.why == UNCERTAIN:
            disputed = doubtful(found, sure(result), result.thresholds, result.model.rule)
        elif candidate.why == NEAR:
            disputed = near(result, self._settings.band)
        else:
            disputed = np.zeros(len(found), np.bool_)
        return finding(candidate.why, result, found.select(disputed))

    def _stored(self, candidate: Candidate, chosen: Finding) -> str:
        source, result = candidate.work.source, candidate.result
        pixels = decode(source, self._limits) if isinstance(source, bytes) else source
        hidden = chosen.settled if self._settings.blur_others else []
        if hidden:
            pixels = blurred(pixels, hidden, [face.box for face in chosen.faces if face.disputed])
        model = result.model
        version = "" if model.version is None else str(model.version)
        origin = Origin(model=model.name, bundle=bundle_id(model), version=version, camera=candidate.camera)
        proposal = Proposal(bare_picture(pixels), pixels, chosen.faces, chosen.why, origin, hidden)
        return "stored" if self._inbox.propose(proposal, caps=self._caps) else "duplicate"
