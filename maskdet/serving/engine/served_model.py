"""A loaded bundle as served: from a picture's bytes to its result, with each stage timed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.detector.bundle import Bundle, load_bundle
from maskdet.detector.conclusion import conclude, rule_of
from maskdet.detector.draw import draw
from maskdet.detector.outputs import detections_of
from maskdet.detector.picture import DecodedPicture, PictureLimits, decode, decode_reduced
from maskdet.detector.preprocess import resize
from maskdet.detector.runtime.session import Session
from maskdet.detector.threshold_policy import OVERRIDE, PolicyName
from maskdet.detector.thresholds import Threshold, thresholds_of
from maskdet.detector.verdict import Verdict
from maskdet.drift.appearance import Appearance, appearance
from maskdet.errors import BundleError, EnvironmentProblem, PictureError, RegistryError, UsageError
from maskdet.registry.version import Version
from maskdet.serving.engine.opening import Opening
from maskdet.serving.engine.source import Source
from maskdet.serving.refusals import BadOption
from maskdet.serving.settings import ServeSettings
from maskdet.types import Detections, FloatArray, Picture

logger = logging.getLogger("maskdet.engine")

JPEG_SIDE = 65_500
"""libjpeg's limit, in pixels."""
JPEG_QUALITY = 90
LARGE_PIXELS = 12_000_000
"""Few cameras make larger pictures."""
_LARGE_DRAWING = Lock()
_UNKNOWN = (
    "it is unknown whether these labels comply with the mask rule, so they make a verdict uncertain: "
    "set data.roles and export again, or serve.violation_labels"
)
BUNDLE_ID_LENGTH = 12
"""Characters of a bundle's sha256 that identify it in responses."""


@dataclass(frozen=True, slots=True)
class Work:
    """One picture, encoded or decoded, and the client's options."""

    source: bytes | Picture
    model: str = ""
    threshold: Threshold = None
    max_detections: int | None = None
    """Most detections in the result, best first."""
    drawn: bool = False
    """Whether the result includes the picture with its boxes drawn."""
    candidates: bool = False
    """Whether the result includes all candidates, down to the bundle's own score threshold."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time of one picture went, in milliseconds. A batch's inference counts in full for each."""

    queue: float = 0
    decode: float = 0
    preprocess: float = 0
    inference: float = 0
    postprocess: float = 0
    draw: float = 0


@dataclass(frozen=True, slots=True)
class PictureResult:
    """The model's result for one picture.

    candidates: what NMS left, best first, down to the lowest score that can decide the verdict, or all
    of it if `Work.candidates` asked for it; thresholds: [C] in force for this picture; detections: those that
    reach them, each face once, at most as many as requested; size: (height, width) of the picture after its
    EXIF turn; appearance: how bright and sharp it is; drawn: JPEG of the picture with its detections, only if
    `Work.drawn` asked for it.
    """

    model: ServedModel
    candidates: Detections
    thresholds: FloatArray
    detections: Detections
    size: tuple[int, int]
    verdict: Verdict
    timing: Timing
    appearance: Appearance
    drawn: bytes | None = None
    policy: PolicyName = "unknown"
    """How the thresholds were chosen."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture ready for the network: uint8 [H, W, 3] at its input size; `picture` is only for drawing."""

    work: Work
    tensor: Picture
    size: tuple[int, int]
    thresholds: FloatArray
    timing: Timing
    appearance: Appearance
    picture: Picture | None


def bundle_id(model: ServedModel) -> str:
    """Identifies the model's bundle in responses: the first characters of its sha256."""
    return model.sha256[:BUNDLE_ID_LENGTH]


class ServedModel:
    """A bundle, its sessions and its limits.

    Nothing that a result depends on changes after construction, so all inference threads share it. How its
    pictures share passes, `batches`, is measured by the probe, which also chooses the sessions.
    """

    def __init__(
        self,
        name: str,
        bundle: Bundle,
        settings: ServeSettings,
        *,
        cores: int,
        version: Version | None = None,
        alias: str = "",
    ) -> None:
        """`version`: the registered one that the bundle is of; `alias`: by which the server follows it."""
        self.name = name
        self.version = version.number if version else None
        self.registered = f"{version.model}@{version.number}" if version else ""
        self.alias = alias
        self.meta = bundle.meta
        self.sha256 = bundle.sha256
        self.rule = rule_of(self.meta, settings.violation_labels, settings.uncertain_band)
        self._limits = PictureLimits(max_bytes=settings.max_upload_bytes, max_pixels=settings.max_pixels)
        self._settings = settings
        self._opening = Opening(bundle, settings, cores=cores)
        self._sessions, self.batches = self._opening.first()
        # Most requests name none, and each picture asks twice.
        self._own_thresholds = thresholds_of(self.meta)

    @classmethod
    def load(
        cls,
        name: str,
        path: Path,
        settings: ServeSettings,
        *,
        cores: int,
        version: Version | None = None,
        alias: str = "",
    ) -> ServedModel:
        """Read a bundle, which is that of a registered `version` if there is one, by an `alias` or not.

        The name defaults to the registered model's, or to the bundle's own. Raises BundleError,
        EnvironmentProblem, and RegistryError for a file that is not the one that was registered.
        """
        bundle = load_bundle(path)
        if version is not None and version.record.bundle != bundle.sha256:
            raise RegistryError(f"{version.bundle} is not the file that was registered", "restore it")
        named = name or (version.model if version else bundle.meta.name)
        model = cls(named, bundle, settings, cores=cores, version=version, alias=alias)
        if model.rule.unknown:
            fields = {"model": model.name, "labels": sorted(model.rule.unknown)}
            logger.warning(_UNKNOWN, extra={"fields": fields})
        return model

    @classmethod
    def from_source(cls, name: str, source: Source, settings: ServeSettings, *, cores: int) -> ServedModel:
        """Like `load`, for what a source is now. Also raises RegistryError for a version that is missing, or
        without the signature that the settings require.
        """
        with source.opened(settings.require_signature) as (path, version):
            return cls.load(name, path, settings, cores=cores, version=version, alias=source.alias)

    def thresholds(self, wanted: Threshold) -> FloatArray:
        """[C] by class id. Raises BadOption where `thresholds_of` raises UsageError."""
        if wanted is None:
            return self._own_thresholds
        try:
            return thresholds_of(self.meta, wanted)
        except UsageError as error:
            raise BadOption(error.what, error.hint) from error

    def probe(self) -> None:
        """Passes through each session: they must return finite numbers, and no request pays for first-time
        allocations. Also sets `batches`. Raises BundleError.
        """
        self._sessions, self.batches = self._opening.measured(self._sessions, self._run_blank)

    def _run_blank(self, session: Session, pictures: int) -> None:
        blank = np.zeros((pictures, *self.meta.input_size, 3), np.uint8)
        if not all(np.isfinite(output).all() for output in session.run(blank)):
            raise BundleError(
                "the model returns NaN or infinity for a blank picture", "export or train it again"
            )

    def prepare(self, work: Work, queued_ms: float = 0) -> Prepared:
        """Decode and resize; `queued_ms` is what it waited before. Raises PictureError or BadOption."""
        thresholds = self.thresholds(work.threshold)
        started = time.perf_counter()
        decoded = self._decoded(work)
        decoded_at = time.perf_counter()
        tensor = resize(decoded.pixels, self.meta.input_size, self.meta.interpolation)
        seen = appearance(tensor)
        timing = Timing(queued_ms, _ms(started, decoded_at), _ms(decoded_at, time.perf_counter()))
        # A picture waiting for its batch must not hold 150 MB for nothing.
        kept = decoded.pixels if work.drawn else None
        return Prepared(work, tensor, decoded.size, thresholds, timing, seen, kept)

    def detect(self, batch: Sequence[Prepared], *, alone: bool) -> Iterator[PictureResult | Exception]:
        """One pass for the whole batch; `alone` as for `Sessions.run`. Raises BundleError if it fails.

        What follows the pass, such as drawing, is done for each picture when its outcome is asked for, so
        that it neither delays nor fails those before it.
        """
        started = time.perf_counter()
        boxes, scores = self._sessions.run(_stacked(batch), alone=alone)
        inference = _ms(started, time.perf_counter())
        return (self._outcome(*rows, inference) for rows in zip(batch, boxes, scores, strict=True))

    def _outcome(
        self, prepared: Prepared, boxes: FloatArray, scores: FloatArray, inference_ms: float
    ) -> PictureResult | Exception:
        try:
            return self._result(prepared, boxes, scores, inference_ms)
        # The other pictures of the pass have results of their own.
        except Exception as error:  # noqa: BLE001
            return error

    def _decoded(self, work: Work) -> DecodedPicture:
        decoded = (
            decode_reduced(work.source, self._limits, at_least=self.meta.input_size)
            if isinstance(work.source, bytes)
            else DecodedPicture(work.source, (work.source.shape[0], work.source.shape[1]))
        )
        if work.drawn and max(decoded.size) > JPEG_SIDE:
            raise PictureError(
                f"a JPEG has at most {JPEG_SIDE} pixels a side, so this picture cannot be drawn",
                "send the request without visualize",
            )
        return decoded

    def _result(
        self, prepared: Prepared, boxes: FloatArray, scores: FloatArray, inference_ms: float
    ) -> PictureResult:
        started = time.perf_counter()
        from_score = self._from_score(prepared)
        candidates = detections_of(self.meta, boxes, scores, prepared.size, from_score=from_score)
        concluded = conclude(candidates, prepared.thresholds, self.rule, prepared.work.max_detections)
        detections = concluded.detections
        ended = time.perf_counter()
        drawn = None
        if prepared.picture is not None:
            with _one_at_a_time(prepared.size):
                drawn = self._drawn(prepared, prepared.picture, detections)
        before = prepared.timing
        timing = Timing(
            before.queue,
            before.decode,
            before.preprocess,
            inference_ms,
            postprocess=_ms(started, ended),
            draw=_ms(ended, time.perf_counter()),
        )
        policy = self.meta.threshold_policy if prepared.work.threshold is None else OVERRIDE
        return PictureResult(
            self,
            candidates,
            prepared.thresholds,
            detections,
            prepared.size,
            concluded.verdict,
            timing,
            prepared.appearance,
            drawn,
            policy.name,
        )

    def _from_score(self, prepared: Prepared) -> float:
        """What scores less is neither in the answer nor a doubt."""
        return 0.0 if prepared.work.candidates else float(self.rule.doubt_from(prepared.thresholds).min())

    def _drawn(self, prepared: Prepared, picture: Picture, detections: Detections) -> bytes:
        source = prepared.work.source
        # Detection saw the same pixels whether or not it is drawn; the drawn picture is decoded in full.
        if isinstance(source, bytes) and picture.shape[:2] != prepared.size:
            picture = self._whole(source)
        # As large as the picture that was sent: clients overlay it, and boxes are in its pixels.
        drawn = draw(picture, detections, self.meta.labels, keep_size=True)
        shown = cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", shown, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
        return bytes(data)

    def _whole(self, source: bytes) -> Picture:
        try:
            return decode(source, self._limits)
        # The same bytes were decoded before, at less than full size: the picture is not at fault.
        except PictureError as error:
            raise EnvironmentProblem(
                f"a picture that was read cannot be decoded in full to draw it: {error.what}",
                "give the server more memory, or lower serve.max_pixels",
            ) from error


def _one_at_a_time(size: tuple[int, int]) -> AbstractContextManager[object]:
    """Drawing takes five copies of a picture: of large ones only one is drawn at a time, in all models."""
    return _LARGE_DRAWING if size[0] * size[1] > LARGE_PIXELS else nullcontext()


def _stacked(batch: Sequence[Prepared]) -> NDArray[np.uint8]:
    # One picture needs no copy.
    return batch[0].tensor[None] if len(batch) == 1 else np.stack([one.tensor for one in batch])


def _ms(start: float, end: float) -> float:
    return (end - start) * 1000
