"""AP on val between epochs. Worker side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.picture import DecodedPicture
from maskdet.errors import PictureError, TrainingError
from maskdet.evaluation.evaluator import evaluate
from maskdet.training.detections_file import packed, unpacked
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.exchange import gather, workers
from maskdet.training.worker.inference import detect
from maskdet.training.worker.network import RawDetector
from maskdet.training.worker.picture_store import PictureStore

_AT_A_TIME = 8
_HINT = (
    "figures are only comparable over all of val: restore the file, "
    "or run `maskdet prepare --force` and train again"
)


class Judge:
    """AP on val with the network's current weights; several workers share the pictures.

    Raises TrainingError with the picture's name if a val picture is missing (at once) or unreadable.
    """

    def __init__(
        self,
        manifest: Manifest,
        input_size: tuple[int, int],
        store: PictureStore,
        at_a_time: int = _AT_A_TIME,
    ) -> None:
        self._manifest, self._input_size = manifest, input_size
        self._store, self._at_a_time = store, min(at_a_time, _AT_A_TIME)
        self._pictures = manifest.part("val")
        _require([manifest.path(item) for item in self._pictures])

    def __call__(self, network: Any) -> dict[str, float]:
        found = self._detect_together(network)
        truths = (self._manifest.ground_truth(picture) for picture in self._pictures)
        return evaluate(
            zip(truths, found, strict=True), self._manifest.labels, thresholds="best-f1"
        ).summary()

    def _detect_together(self, network: Any) -> list[Any]:
        world, rank = workers(), int(paddle.distributed.get_rank())
        mine = self._detect(network, self._pictures[rank::world])
        if world == 1:
            return mine
        parts = [unpacked(each) for each in gather(packed(mine))]
        return [parts[place % world][place // world] for place in range(len(self._pictures))]

    def _detect(self, network: Any, pictures: Sequence[ManifestPicture]) -> list[Any]:
        def read(path: Path) -> DecodedPicture:
            return self._store.read_reduced(path, self._input_size)

        paths = [self._manifest.path(item) for item in pictures]
        try:
            return detect(
                RawDetector(network), paths, read, input_size=self._input_size, batch_size=self._at_a_time
            )
        except PictureError as error:
            raise TrainingError(f"evaluation on val: {error.what}", _HINT) from error


def _require(paths: Sequence[Path]) -> None:
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise TrainingError(f"{missing[0]} is missing, one of {len(missing)} missing val pictures", _HINT)
