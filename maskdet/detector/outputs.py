"""What a bundle's graph returns for a picture, as detections. Shared by the detector and the server."""

from __future__ import annotations

from maskdet.detector.calibration import calibrated, network_score
from maskdet.detector.postprocess import to_detections
from maskdet.detector.settings import BundleMeta
from maskdet.types import Detections, FloatArray


def detections_of(
    meta: BundleMeta,
    boxes: FloatArray,
    scores: FloatArray,
    picture_size: tuple[int, int],
    *,
    from_score: float = 0,
) -> Detections:
    """All candidates after NMS in one picture; their scores are probabilities if the bundle is calibrated.

    boxes [A, 4] and scores [A, C] as `BundleMeta` describes them; picture_size (height, width). Detections of
    less than `from_score` may be left out, which saves most of the time of NMS.
    """
    found = to_detections(
        boxes,
        scores,
        picture_size=picture_size,
        input_size=meta.input_size,
        nms=meta.nms.from_score(network_score(from_score, meta.calibration)),
    )
    return calibrated(found, meta.calibration)
