"""Makes what a scene names in a page's folder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2

from examples.blocks import ROOT
from examples.scenes import Scene
from maskdet.detector.shipped import shipped_model
from variants import commented

SAMPLE = ROOT / "data" / "sample"
COUNT = 12
"""Pictures of a labelled set."""


def furnish(folder: Path, scene: Scene, project: Path | None) -> None:
    """Fill the folder, which must not exist; `project` is where README.md was run."""
    if scene.project and project is not None:
        shutil.copytree(project, folder, symlinks=True)
    pictures = sorted((SAMPLE / "JPEGImages").iterdir())[:COUNT]
    put_pictures(folder, pictures)
    for name in scene.sets:
        put_set(folder / name, pictures)
    for number, name in enumerate(scene.models):
        put_model(folder / name, number)
    for name in scene.runs:
        shutil.copytree(folder / "runs" / "face-mask", folder / "runs" / name)
    for name, text in scene.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, target in scene.links.items():
        put_link(folder / name, target)
    (folder / scene.saved).parent.mkdir(exist_ok=True)


def put_pictures(folder: Path, pictures: Sequence[Path]) -> None:
    """One by each name that pages use, two folders of them, and a film."""
    for name in ("photos", "folder"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for picture in pictures[1:4]:
            shutil.copy(picture, folder / name)
    for name in ("photo.jpg", "a.jpg"):
        shutil.copy(pictures[0], folder / name)
    pixels = cv2.imread(str(pictures[1]))
    cv2.imwrite(str(folder / "b.png"), pixels)
    height, width = pixels.shape[:2]
    film = cv2.VideoWriter(str(folder / "gate.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (width, height))
    film.write(pixels)
    film.release()


def put_set(folder: Path, pictures: Sequence[Path]) -> None:
    """A Pascal VOC folder."""
    for name in ("JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        shutil.copy(picture, folder / "JPEGImages")
        shutil.copy(SAMPLE / "Annotations" / f"{picture.stem}.xml", folder / "Annotations")


def put_model(path: Path, number: int) -> None:
    """The shipped model; another number gives other bytes."""
    path.write_bytes(commented(shipped_model().read_bytes(), f"copy {number}"))


def put_link(path: Path, target: str) -> None:
    """To a place in the repository, or in the folder if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(ROOT / target if (ROOT / target).exists() else target)
