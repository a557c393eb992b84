"""A val part of painted pictures, and tiny models that differ in one thing each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from media import save
from support import LABELS as COLOURED
from support import cell_box, paint, write_tiny_bundle

from maskdet.dataset.manifest import (
    Manifest,
    ManifestObject,
    ManifestPicture,
    ManifestRoot,
    Part,
)
from maskdet.gates.gates import Absent, Contender, GateJob, judge
from maskdet.gates.report import GateReport
from maskdet.gates.settings import GateSettings
from maskdet.system.files import sha256_file
from maskdet.types import Picture

LABELS = COLOURED[:2]
MASKED, BARE = LABELS
PICTURES = 60
FAINT = (0, 127, 0)
"""Scores 0.4 as masked."""
BARE_LOOKS_MASKED = (3, 20, 33, 47)
"""Numbers of the pictures whose first bare face is painted faintly as masked."""
DIM = (5, 12, 19, 26, 34, 40, 41, 42, 43, 44)
"""Those whose first masked face is painted faintly."""
PARITY = {
    "pictures": 8,
    "score_difference": 1e-6,
    "score_tolerance": 1e-3,
    "box_difference": 1e-3,
    "box_tolerance": 0.05,
}


@dataclass(frozen=True)
class Val:
    """Pictures on disk, their manifest, and models beside them."""

    root: Path
    manifest: Path
    whole: Manifest

    def model(self, name: str, **options: Any) -> Path:
        """A tiny bundle of the two labels with faces 32 px wide at its input, and its proof of parity."""
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        chosen = {"labels": LABELS, "input_size": (256, 256), **options}
        model = write_tiny_bundle(folder / "model.onnx", **chosen)
        (folder / "parity.json").write_text(json.dumps({**PARITY, "bundle_sha256": sha256_file(model)}))
        return model

    def judge(self, challenger: Path, champion: Path | Absent, settings: GateSettings) -> GateReport:
        against = champion if isinstance(champion, Absent) else contender(champion)
        return judge(GateJob(contender(challenger), against, self.manifest, settings))

    def first(self, count: int) -> Val:
        """The same with fewer pictures."""
        return self.with_pictures(self.whole.pictures[:count])

    def with_pictures(self, pictures: tuple[ManifestPicture, ...]) -> Val:
        whole = replace(self.whole, pictures=pictures)
        target = self.root / "other.json"
        whole.write(target)
        return Val(self.root, target, whole)


def contender(model: Path) -> Contender:
    return Contender(model.parent.name, model, json.loads((model.parent / "parity.json").read_text()))


def settings(**changed: Mapping[str, Any] | Any) -> GateSettings:
    """Without the time, which is noise for models this small."""
    not_worse = {"p95_ratio": None, **changed.pop("not_worse", {})}
    return GateSettings.model_validate({"not_worse": not_worse, **changed})


def paint_val(root: Path) -> Val:
    """60 pictures with two masked and two bare faces each."""
    pictures = tuple(_picture(root, number) for number in range(PICTURES))
    whole = Manifest(LABELS, pictures, roots=(ManifestRoot("", root),))
    whole.write(root / "manifest.json")
    return Val(root, root / "manifest.json", whole)


def _picture(root: Path, number: int, part: Part = "val") -> ManifestPicture:
    draw = np.random.default_rng(number)
    cells = [divmod(int(place), 8) for place in draw.choice(64, 4, replace=False)]
    named = dict(zip(cells, (MASKED, MASKED, BARE, BARE), strict=True))
    pixels = paint(named)
    if number in DIM:
        _fill(pixels, cells[0], FAINT)
    if number in BARE_LOOKS_MASKED:
        _fill(pixels, cells[2], FAINT)
    path = save(root / f"{number:03}.png", pixels)
    faces = tuple(ManifestObject(label, cell_box(*cell)) for cell, label in named.items())
    return ManifestPicture(path.name, "", part, 256, 256, sha256_file(path), faces)


def _fill(pixels: Picture, cell: tuple[int, int], colour: tuple[int, int, int]) -> None:
    x1, y1, x2, y2 = (round(edge) for edge in cell_box(*cell))
    pixels[y1:y2, x1:x2] = colour
