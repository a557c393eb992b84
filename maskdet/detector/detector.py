"""The detector: pictures in, detections out. Shared by predict, eval, parity and serve."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.detector.bundle import Bundle
from maskdet.detector.outputs import detections_of
from maskdet.detector.preprocess import to_batch
from maskdet.detector.runtime.registry import open_session
from maskdet.detector.settings import BundleMeta
from maskdet.detector.thresholds import thresholds_of
from maskdet.types import Detections, FloatArray, Picture


class Detector:
    """A bundle, ready to run. Immutable after construction, so any number of threads may share it."""

    def __init__(self, bundle: Bundle, *, threads: int = 0, device: str = "cpu") -> None:
        """`threads` of one forward pass, 0 for all cores; errors as for `open_session`."""
        self._meta = bundle.meta
        as_checked = threads == 1 and device == "cpu"
        self._session = (
            bundle.session if as_checked else open_session(bundle.model, threads=threads, device=device)
        )
        self._thresholds = thresholds_of(bundle.meta)

    @property
    def meta(self) -> BundleMeta:
        return self._meta

    @property
    def thresholds(self) -> FloatArray:
        """[C] lowest score that counts, by class; read-only. For `Detections.above`."""
        return self._thresholds

    def detect(
        self, picture: Picture, size: tuple[int, int] | None = None, *, from_score: float = 0
    ) -> Detections:
        """All candidates after NMS, down to the NMS score threshold; see `detect_batch`."""
        return self.detect_batch([picture], None if size is None else [size], from_score=from_score)[0]

    def detect_batch(
        self,
        pictures: Sequence[Picture],
        sizes: Sequence[tuple[int, int]] | None = None,
        *,
        from_score: float = 0,
    ) -> list[Detections]:
        """One forward pass over pictures of any sizes; one `Detections` each, in order.

        `sizes`: (height, width) that boxes refer to, where pictures were decoded at a fraction of it.
        `from_score`: lower-scoring detections may be left out, which saves most of the time of NMS.
        Scores are probabilities if the bundle is calibrated, else those of the network.
        Raises PictureError for an array that is not a picture, BundleError if the model fails.
        """
        if not pictures:
            return []
        sizes = sizes if sizes is not None else [(picture.shape[0], picture.shape[1]) for picture in pictures]
        meta = self._meta
        boxes, scores = self._session.run(to_batch(pictures, meta.input_size, meta.interpolation))
        return [
            detections_of(meta, b, s, size, from_score=from_score)
            for b, s, size in zip(boxes, scores, sizes, strict=True)
        ]
