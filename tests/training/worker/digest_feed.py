"""Prints, as JSON, what the feed hands out: CONFIG MANIFEST. Keys are "seed/epoch"."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from maskdet.dataset.manifest import load_manifest
from maskdet.errors import TrainingError
from maskdet.training.worker.feed import TrainingFeed
from maskdet.training.worker.network import load_config
from maskdet.training.worker.picture_store import LostPictures, PictureStore


def digest(batch: dict[str, Any]) -> dict[str, Any]:
    return {
        "images": hashlib.sha256(batch["image"].numpy().tobytes()).hexdigest(),
        "shape": batch["image"].shape,
        "ids": sorted(int(number) for number in batch["im_id"].numpy().ravel()),
        "faces": int(batch["pad_gt_mask"].sum()) if "pad_gt_mask" in batch else None,
        "epoch": batch["epoch_id"],
    }


config, manifest = (Path(name) for name in sys.argv[1:])
warnings: list[dict[str, Any]] = []


def make_feed(seed: int, workers: int, cache: int) -> TrainingFeed:
    loaded = load_manifest(manifest)
    lost = LostPictures(len(loaded.part("train")), lambda event, **fields: warnings.append(fields))
    return TrainingFeed(load_config(config), loaded, seed, workers, PictureStore(cache), lost)


told: dict[str, list[list[dict[str, Any]]]] = {}
for seed, cache, epochs in ((0, 2**20, (0, 1)), (1, 0, (0,)), (0, 0, (1,))):
    feed = make_feed(seed, 1, cache)
    for epoch in epochs:
        told.setdefault(f"{seed}/{epoch}", []).append([digest(batch) for batch in feed.epoch(epoch)])
refused = ""
try:
    make_feed(0, 3, 0)
except TrainingError as error:
    refused = str(error)
sys.stdout.write(json.dumps({"steps": len(feed), "told": told, "refused": refused}) + "\n")
