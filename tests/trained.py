"""Drawn pictures and short real trainings of a small PicoDet, for the tests of training and export."""

from __future__ import annotations

import functools
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from maskdet.artefacts import CONFIG
from maskdet.dataset.manifest import Manifest, ManifestObject, ManifestPicture, ManifestRoot, load_manifest
from maskdet.dataset.prepare import prepare
from maskdet.dataset.settings import DataSettings
from maskdet.evaluation.result import Evaluation
from maskdet.export.export import ExportJob, ExportSummary
from maskdet.system.files import sha256_file
from maskdet.training.launch.process import Event
from maskdet.training.recipe.recipe import build_recipe
from maskdet.training.settings import ModelSettings, TrainSettings
from maskdet.training.start.knowledge import knows_classes
from maskdet.training.train import TrainJob, TrainSummary, train

T = TypeVar("T")
REPO = Path(__file__).resolve().parents[1]
SAMPLE = REPO / "data" / "sample"
LABELS = ("with_mask", "without_mask")
SMALLEST = "picodet_s_320_esnet"
"""Trains faster than picodet_xs_320 on a CPU."""
_COLOURS = ((40, 160, 220), (210, 150, 110))
_CELL = 40


@dataclass(frozen=True)
class DrawnSet:
    """Pictures on disk and what is on them."""

    root: Path
    manifest: Manifest

    def dealt(self, train: Sequence[int], val: Sequence[int]) -> DrawnSet:
        """The same pictures in other parts, by their numbers."""
        pictures = self.manifest.pictures
        parts = [replace(pictures[n], part="train") for n in train]
        return replace(
            self,
            manifest=replace(
                self.manifest, pictures=(*parts, *(replace(pictures[n], part="val") for n in val))
            ),
        )


def draw_faces(root: Path, count: int = 12, *, faces: int = 2, names: Sequence[str] = ()) -> DrawnSet:
    """Noise pictures of 96 x 80 px with squares of a class's colour; every fourth picture goes to val.

    `faces` 0 draws negatives. `names` are the first pictures' names.
    """
    folder = root / "JPEGImages"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [*names, *(f"drawn_{number:03}.jpg" for number in range(len(names), count))]
    draw = np.random.default_rng(5)
    pictures = [_picture(draw, folder / name, number, faces) for number, name in enumerate(chosen)]
    return DrawnSet(root, Manifest(LABELS, tuple(pictures), roots=(ManifestRoot("", root),)))


def _picture(draw: np.random.Generator, path: Path, number: int, faces: int) -> ManifestPicture:
    height, width = 80, 96
    pixels = draw.integers(0, 90, (height, width, 3), dtype=np.uint8)
    objects = []
    for place in range(faces):
        side = int(draw.integers(20, 32))
        x, y = 8 + 48 * (place % 2), int(draw.integers(4, height - side - 4))
        kind = (number + place) % 2
        pixels[y : y + side, x : x + side] = _COLOURS[kind]
        objects.append(ManifestObject(LABELS[kind], (x, y, x + side, y + side)))
    Image.fromarray(pixels).save(path, quality=92)
    return ManifestPicture(
        picture=f"JPEGImages/{path.name}",
        annotation="",
        part="val" if number % 4 == 3 else "train",
        width=width,
        height=height,
        sha256=sha256_file(path),
        objects=tuple(objects),
    )


def draw_crowds(root: Path, count: int, *, side: int = 160, seed: int = 7) -> DrawnSet:
    """Square pictures with a face in most cells of 40 px: many to learn from in each. All go to val."""
    folder = root / "JPEGImages"
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    pictures = [_crowd(draw, folder / f"crowd_{number:03}.png", side) for number in range(count)]
    return DrawnSet(root, Manifest(LABELS, tuple(pictures), roots=(ManifestRoot("", root),)))


def _crowd(draw: np.random.Generator, path: Path, side: int) -> ManifestPicture:
    # Some are dark: a model of bright noise alone goes astray over the black picture of the parity proof.
    pixels = draw.integers(0, int(draw.choice([30, 60, 90])), (side, side, 3), dtype=np.uint8)
    objects = []
    for place in range((side // _CELL) ** 2):
        row, column = divmod(place, side // _CELL)
        size = int(draw.integers(22, 36))
        x, y = (at * _CELL + int(draw.integers(0, _CELL - size)) for at in (column, row))
        kind = int(draw.integers(0, 2))
        if draw.random() < 0.7:
            pixels[y : y + size, x : x + size] = _COLOURS[kind]
            objects.append(ManifestObject(LABELS[kind], (x, y, x + size, y + size)))
    Image.fromarray(pixels).save(path)
    return ManifestPicture(
        f"JPEGImages/{path.name}", "", "val", side, side, sha256_file(path), tuple(objects)
    )


@functools.cache
def sample_manifest() -> Manifest:
    """What `prepare` makes of data/sample."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(DataSettings(root=SAMPLE), Path(folder), input_size=(320, 320))
        return load_manifest(Path(folder) / "manifest.json")


def make_job(
    folder: Path,
    data: DrawnSet,
    *,
    side: int = 64,
    plain: bool = False,
    variant: str = SMALLEST,
    pretrained: str | Path = "none",
    freeze: Literal["none", "backbone"] = "none",
    **settings: Any,
) -> TrainJob:
    """A training job whose files lie in `folder`; the recipe's sides are set to `side` to save time.

    `plain` leaves random crops, colours and sizes out, so that a few steps suffice to learn something.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data.manifest.write(folder / "manifest.json")
    model = ModelSettings(variant=variant, pretrained=pretrained, freeze=freeze)
    chosen = TrainSettings(**{"epochs": 1, "batch_size": 4, "device": "cpu", "workers": 1, **settings})
    knows = knows_classes(model, data.manifest.labels)
    recipe = build_recipe(model, chosen, data.manifest, prepare_dir=folder, fine_tunes=knows)
    recipe.document["eval_size"] = [side, side]
    reader = recipe.document["TrainReader"]
    reader["batch_transforms"][0]["BatchRandomResize"]["target_size"] = [side] if plain else [side, side + 32]
    if plain:
        reader["sample_transforms"] = [{"Decode": {}}]
    recipe.write(folder)
    return TrainJob(folder / CONFIG, folder / "manifest.json", folder / "train", chosen, model)


@dataclass(frozen=True)
class Trained:
    """A finished training, its data and every event that it reported."""

    job: TrainJob
    data: DrawnSet
    summary: TrainSummary
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Exported:
    """An export of the skilled model at its variant's real input size, and its evaluation before."""

    job: ExportJob
    summary: ExportSummary
    data: DrawnSet
    evaluation: Evaluation


def run_training(job: TrainJob, data: DrawnSet, *, resume: bool = False) -> Trained:
    events: list[Event] = []
    summary = train(job, on_event=events.append, resume=resume)
    return Trained(job, data, summary, tuple(events))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What `make` gives for an empty folder: the first test process to ask makes it, the others read it."""
    base = factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"once-{name}"
    stored = place / "value.pickle"
    with FileLock(place.with_suffix(".lock")):
        if not stored.exists():
            place.mkdir()
            stored.write_bytes(pickle.dumps(make(place)))
        found: T = pickle.loads(stored.read_bytes())  # noqa: S301 - written above
        return found


def run_script(script: Path, *arguments: str | Path) -> Any:
    """Run a script that imports Paddle in a process of its own; the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "tests")]),
            "GLOG_minloglevel": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
