"""A small VOC folder, drawn on the fly."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskdet.dataset.prepare import PrepareSummary, prepare
from maskdet.dataset.settings import DataSettings, SplitSettings
from maskdet.progress import Track, silent
from maskdet.system.files import staged_folder

REPO = Path(__file__).resolve().parents[2]
SIZE = (160, 120)
FACE = ("with_mask", (20, 30, 60, 80))


def pattern(seed: str, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture of coarse random blocks, unlike that of any other seed."""
    dice = random.Random(seed)  # noqa: S311
    blocks = np.array([dice.randrange(256) for _ in range(12 * 16 * 3)], np.uint8).reshape(12, 16, 3)
    return Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC)


def object_xml(label: str, box: Sequence[object], difficult: object = 0) -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    lines = "\n".join(f"      <{side}>{value}</{side}>" for side, value in sides)
    return (
        f"  <object>\n    <name>{label}</name>\n    <difficult>{difficult}</difficult>\n"
        f"    <bndbox>\n{lines}\n    </bndbox>\n  </object>\n"
    )


def annotation_xml(filename: str, objects: str, size: tuple[int, int] = SIZE) -> str:
    return (
        f"<annotation>\n  <filename>{filename}</filename>\n"
        f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>\n"
        f"{objects}</annotation>\n"
    )


class Voc:
    """Builds a VOC folder under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pictures = root / "JPEGImages"
        self.annotations = root / "Annotations"
        self.pictures.mkdir(parents=True)
        self.annotations.mkdir()

    def add(self, name: str, *objects: tuple[str, Sequence[object]], seed: str = "") -> None:
        """A picture of its own and its annotation; one face with a mask if no objects are given."""
        pattern(seed or name).save(self.pictures / name)
        self.write_xml(Path(name).stem, annotation_xml(name, self.objects(*(objects or (FACE,)))))

    def fill(self, number: int) -> None:
        for index in range(number):
            label = "without_mask" if index % 3 == 0 else "with_mask"
            self.add(f"p{index:02d}.png", (label, (10 + index, 20, 60 + index, 90)))

    @staticmethod
    def objects(*objects: tuple[str, Sequence[object]]) -> str:
        return "".join(object_xml(label, box) for label, box in objects)

    def write_xml(self, stem: str, text: str) -> None:
        (self.annotations / f"{stem}.xml").write_text(text, encoding="utf-8", newline="\n")

    def edit_xml(self, stem: str, old: str, new: str) -> None:
        path = self.annotations / f"{stem}.xml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")

    def prepare(self, out: Path, **settings: object) -> PrepareSummary:
        return _prepare_folder(self.root, out, **settings)


def _prepare_folder(root: Path, out: Path, track: Track = silent, **settings: object) -> PrepareSummary:
    """Run prepare as the pipeline does, into a staged folder; `split` may be given as a dict."""
    settings["split"] = SplitSettings(**settings.pop("split", {}))
    with staged_folder(out) as aside:
        return prepare(DataSettings(root=root, **settings), aside, input_size=(416, 416), track=track)


@pytest.fixture
def voc(tmp_path: Path) -> Voc:
    return Voc(tmp_path / "set")


@pytest.fixture
def make_voc(tmp_path: Path) -> Callable[[str], Voc]:
    return lambda name: Voc(tmp_path / name)


@pytest.fixture(scope="session")
def prepare_folder() -> Callable[..., PrepareSummary]:
    return _prepare_folder


@pytest.fixture(scope="session")
def face_mask() -> Path:
    """The real data set, read-only."""
    root = Path(os.environ.get("MASKDET_FACE_MASK", REPO.parent / "shared/data/face_mask"))
    if not (root / "Annotations").is_dir():
        pytest.skip(f"the face-mask data set is not at {root} (set MASKDET_FACE_MASK)")
    return root


@pytest.fixture
def face_mask_copy(face_mask: Path, tmp_path: Path) -> Path:
    """A copy whose files are writable, whatever they are in the original."""
    copy = tmp_path / "face_mask"
    for folder in ("JPEGImages", "Annotations"):
        (copy / folder).mkdir(parents=True)
        for path in (face_mask / folder).iterdir():
            shutil.copyfile(path, copy / folder / path.name)
    return copy


@pytest.fixture(name="pattern")
def pattern_fixture() -> Callable[..., Image.Image]:
    return pattern
