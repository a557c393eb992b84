"""Training batches: PaddleDetection's own transforms over the pictures of the manifest. Worker side."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ppdet.data.reader import BatchCompose, Compose
from ppdet.data.source.voc import VOCDataSet

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.errors import TrainingError
from maskdet.training.augment import PasteFaces, register
from maskdet.training.compat import paddle
from maskdet.training.faces import Face, FaceBank
from maskdet.training.sampling import EpochOrder, repeat_factors


class ManifestDataset(VOCDataSet):  # type: ignore[misc]
    """ppdet's VOC data set, filled from the manifest instead of the XML files.

    What prepare decided (aliases, dropped objects, file names with spaces) holds here too, and
    pictures without faces stay in as negatives.
    """

    def __init__(self, manifest: Manifest, root: Path, transforms: Compose) -> None:
        super().__init__(dataset_dir=str(root), data_fields=["image", "gt_bbox", "gt_class", "difficult"])
        self.roidbs = [
            _record(number, picture, manifest, root) for number, picture in enumerate(manifest.part("train"))
        ]
        self.set_kwargs()
        self.set_transform(transforms)


class TrainingFeed:
    """Batches of one epoch after another; the same seed and epoch give the same batches.

    With several workers each gets its own part of every batch.
    """

    def __init__(
        self, config: dict[str, Any], manifest: Manifest, root: Path, seed: int, workers: int
    ) -> None:
        reader = config["TrainReader"]
        classes = config["num_classes"]
        self._seed = seed
        self.batch_size = int(reader["batch_size"])
        dataset = ManifestDataset(manifest, root, _transforms(reader, manifest, root, classes))
        _check_share(self.batch_size, workers)
        factors = repeat_factors(manifest, reader["repeat_share"])
        self._order = EpochOrder(factors, self.batch_size, seed, paddle.distributed.get_rank(), workers)
        self._sampler = _Sampler(self._order)
        collate = BatchCompose(reader["batch_transforms"], classes, collate_batch=reader["collate_batch"])
        self._loader = paddle.io.DataLoader(
            dataset, batch_sampler=self._sampler, collate_fn=collate, num_workers=0
        )

    def __len__(self) -> int:
        """Steps an epoch."""
        return self._order.steps

    def epoch(self, number: int) -> Any:
        """The batches of epoch `number` (0-based), as ppdet's input dictionaries."""
        self._sampler.epoch = number
        _seed_transforms(self._seed, number)
        for batch in self._loader:
            batch["epoch_id"] = number
            yield batch


class _Sampler(paddle.io.BatchSampler):  # type: ignore[misc]
    """Hands the order of the present epoch to Paddle's loader."""

    def __init__(self, order: EpochOrder) -> None:
        self._order, self.epoch = order, 0

    def __iter__(self) -> Iterator[Sequence[int]]:
        return self._order.batches(self.epoch)

    def __len__(self) -> int:
        return self._order.steps


def _transforms(reader: dict[str, Any], manifest: Manifest, root: Path, classes: int) -> Compose:
    register()
    transforms = Compose(reader["sample_transforms"], num_classes=classes)
    for operator in transforms.transforms_cls:
        if isinstance(operator, PasteFaces):
            operator.bank = FaceBank(_faces(manifest, root))
    return transforms


def _faces(manifest: Manifest, root: Path) -> list[Face]:
    ids = {label: number for number, label in enumerate(manifest.labels)}
    return [
        Face(str(root / picture.picture), np.array(item.box, np.float32), ids[item.label])
        for picture in manifest.part("train")
        for item in picture.objects
    ]


def _check_share(batch_size: int, workers: int) -> None:
    if batch_size % workers:
        raise TrainingError(
            f"train.batch_size {batch_size} cannot be shared by {workers} workers",
            f"set train.batch_size to a multiple of {workers}",
        )


def _seed_transforms(seed: int, epoch: int) -> None:
    # ppdet's transforms draw from both global generators; a seed for each epoch makes a resumed
    # training see the pictures that an unbroken one would have seen.
    rank = int(paddle.distributed.get_rank())
    entropy = np.random.SeedSequence([seed, epoch, rank]).generate_state(2)
    random.seed(int(entropy[0]))
    np.random.seed(int(entropy[1]))


def _record(number: int, picture: ManifestPicture, manifest: Manifest, root: Path) -> dict[str, Any]:
    truth = manifest.ground_truth(picture)
    count = len(truth)
    return {
        "im_file": str(root / picture.picture),
        "im_id": np.array([number]),
        "h": float(picture.height),
        "w": float(picture.width),
        "gt_bbox": truth.boxes,
        "gt_class": truth.class_ids.astype(np.int32).reshape(count, 1),
        "gt_score": np.ones((count, 1), np.float32),
        "difficult": truth.difficult.astype(np.int32).reshape(count, 1),
    }
