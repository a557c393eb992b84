"""Training batches: PaddleDetection's own transforms over the pictures of the manifest. Worker side."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import numpy as np
from ppdet.data.reader import BatchCompose, Compose
from ppdet.data.source.voc import VOCDataSet
from ppdet.data.transform.operators import Decode

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.errors import PictureError, TrainingError
from maskdet.training.recipe.sampling import EpochOrder, repeat_factors
from maskdet.training.worker.augment import PasteFaces, ReadPicture, register
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.difficult import set_difficult_aside
from maskdet.training.worker.faces import Face, FaceBank
from maskdet.training.worker.picture_store import LostPictures, PictureStore
from maskdet.training.worker.prefetch import prefetched
from maskdet.types import Picture


class ManifestDataset(VOCDataSet):  # type: ignore[misc]
    """ppdet's VOC data set, filled from the manifest instead of the XML files.

    What prepare decided (aliases, dropped objects, file names with spaces) applies here too, and
    pictures without faces stay in as negatives. Pictures come from the store, so the transforms start after
    decoding; an unreadable picture is replaced by the next one.
    """

    def __init__(
        self, manifest: Manifest, transforms: Compose, store: PictureStore, lost: LostPictures
    ) -> None:
        super().__init__(data_fields=["image", "gt_bbox", "gt_class", "difficult"])
        self._files = manifest.paths("train")
        self._store, self._lost = store, lost
        self.roidbs = [
            _record(number, picture, manifest) for number, picture in enumerate(manifest.part("train"))
        ]
        self.set_kwargs()
        self.set_transform(transforms)

    def __getitem__(self, number: int) -> dict[str, Any]:
        sample: dict[str, Any] = self.transform(self._opened(number))
        return sample

    def _opened(self, number: int) -> dict[str, Any]:
        for other in islice(cycle(range(len(self._files))), number, number + len(self._files)):
            try:
                pixels = self._store.read(self._files[other])
            except PictureError as error:
                self._lost.add(self._files[other], error)
                continue
            return {**copy.deepcopy(self.roidbs[other]), **_opened(pixels)}
        raise TrainingError("no train picture is readable any more", "restore the files")


class TrainingFeed:
    """Batches of one epoch after another; the same seed and epoch give the same batches.

    With several workers each gets its own part of every batch. Batches are prepared ahead in a thread.
    """

    def __init__(
        self,
        config: dict[str, Any],
        manifest: Manifest,
        seed: int,
        workers: int,
        store: PictureStore,
        lost: LostPictures,
    ) -> None:
        reader = config["TrainReader"]
        classes = config["num_classes"]
        self._seed = seed
        self.batch_size = int(reader["batch_size"])
        transforms = _transforms(reader, FaceBank(_faces(manifest), store, lost), classes)
        self._dataset = ManifestDataset(manifest, transforms, store, lost)
        _check_share(self.batch_size, workers)
        factors = repeat_factors(manifest, reader["repeat_share"])
        self._order = EpochOrder(factors, self.batch_size, seed, paddle.distributed.get_rank(), workers)
        self._collate = BatchCompose(
            reader["batch_transforms"], classes, collate_batch=reader["collate_batch"]
        )
        set_difficult_aside(self._collate.transforms_cls)

    def __len__(self) -> int:
        """Steps per epoch."""
        return self._order.steps

    def epoch(self, number: int) -> Iterator[dict[str, Any]]:
        """The batches of epoch `number` (0-based), as ppdet's input dictionaries."""
        for batch in prefetched(self._batches(number)):
            yield {**{key: _on_device(value) for key, value in batch.items()}, "epoch_id": number}

    def _batches(self, number: int) -> Iterator[dict[str, Any]]:
        _seed_transforms(self._seed, number)
        for some in self._order.batches(number):
            yield self._collate([self._dataset[place] for place in some])


def _transforms(reader: dict[str, Any], bank: FaceBank, classes: int) -> Compose:
    register()
    transforms = Compose(reader["sample_transforms"], num_classes=classes)
    kept = [each for each in transforms.transforms_cls if not isinstance(each, Decode | ReadPicture)]
    for operator in kept:
        if isinstance(operator, PasteFaces):
            operator.bank = bank
    transforms.transforms_cls = kept
    return transforms


def _opened(pixels: Picture) -> dict[str, Any]:
    # A copy: some transforms write into the picture that they get.
    height, width = pixels.shape[:2]
    return {
        "image": pixels.copy(),
        "h": height,
        "w": width,
        "im_shape": np.array([height, width], np.float32),
        "scale_factor": np.ones(2, np.float32),
    }


def _on_device(value: Any) -> Any:
    """Arrays as tensors, in lists too: without collation each picture's faces are a separate array."""
    if isinstance(value, list):
        return [_on_device(each) for each in value]
    return paddle.to_tensor(value) if isinstance(value, np.ndarray) else value


def _faces(manifest: Manifest) -> list[Face]:
    ids = {label: number for number, label in enumerate(manifest.labels)}
    return [
        Face(
            manifest.path(picture),
            np.array(item.box, np.float32),
            ids[item.label],
            manifest.root(picture).weight,
        )
        for picture in manifest.part("train")
        for item in picture.objects
        if not item.difficult
    ]


def _check_share(batch_size: int, workers: int) -> None:
    if batch_size % workers:
        raise TrainingError(
            f"train.batch_size {batch_size} cannot be divided among {workers} workers",
            f"set train.batch_size to a multiple of {workers}",
        )


def _seed_transforms(seed: int, epoch: int) -> None:
    # ppdet's transforms draw from both global generators; with a seed per epoch a resumed training sees
    # the same pictures as an uninterrupted one.
    rank = int(paddle.distributed.get_rank())
    entropy = np.random.SeedSequence([seed, epoch, rank]).generate_state(2)
    random.seed(int(entropy[0]))
    np.random.seed(int(entropy[1]))


def _record(number: int, picture: ManifestPicture, manifest: Manifest) -> dict[str, Any]:
    truth = manifest.ground_truth(picture)
    count = len(truth)
    return {
        "im_id": np.array([number]),
        "gt_bbox": truth.boxes,
        "gt_class": truth.class_ids.astype(np.int32).reshape(count, 1),
        "gt_score": np.ones((count, 1), np.float32),
        "difficult": truth.difficult.astype(np.int32).reshape(count, 1),
    }
