"""Does anything like a val picture ever train? Random merges of real pictures, as a Markdown table.

    python scripts/measuring/merge_rounds.py --data path/to/voc [--data path/to/another] [--trials 100]

Each trial starts with some pictures in two roots. Every round adds new pictures and copies of earlier ones
(same bytes, re-encoded, resized, mirrored, cropped to at least 90 % of each side, or several of these),
renames some, moves some to the other root, removes some, and at times changes the split; then prepare decides
with the same data.frozen_val. No train picture may be an earlier val picture, a copy of one, or one of which
it is a copy. Relatives of relatives, such as two different crops of one picture, are counted too.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from maskdet.dataset.prepare import decide
from maskdet.dataset.settings import DataSettings, SplitSettings

LABELS = ("with_mask", "without_mask")
ROOTS = ("first", "second")
XML = (
    "<annotation><size><width>{w}</width><height>{h}</height><depth>3</depth></size><object><name>{label}</name>"
    "<difficult>0</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>{x}</xmax><ymax>{y}</ymax></bndbox></object>"
    "</annotation>"
)


@dataclass(slots=True)
class File:
    """A picture on disk; `parent` is the one that it was made from."""

    number: int
    path: Path
    parent: int | None
    how: str
    alive: bool = True


@dataclass(slots=True)
class Trial:
    """The files of one trial, and which of them were ever val."""

    folder: Path
    draw: random.Random
    sources: Iterator[Image.Image]
    files: list[File] = field(default_factory=list)
    was_val: set[int] = field(default_factory=set)
    leaks: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def play(self, start: int, rounds: int) -> None:
        """Add `start` pictures, decide, and go on for that many rounds."""
        self.add_new(start)
        self.decide(SplitSettings())
        for _ in range(rounds):
            self.merge(start // 4)
            self.decide(
                SplitSettings(seed=self.draw.choice((0, 0, 7)), ratio=self.draw.choice(("4:1", "2:1")))
            )

    def merge(self, size: int) -> None:
        """One round of changes, of about that size each."""
        self.add_new(self.draw.randint(1, size))
        for _ in range(self.draw.randint(size, 3 * size)):
            self.add_copy(self.draw.choice(self.alive()))
        for file in self.draw.sample(self.alive(), size):
            self.move(file)
        for file in self.draw.sample(self.alive(), self.draw.randint(1, size)):
            self.remove(file)

    def decide(self, split: SplitSettings) -> None:
        """Prepare's decision on what is there; each leak is written down."""
        roots = [{"root": self.folder / name, "optional": True} for name in ROOTS]
        settings = DataSettings(roots=roots, split=split, frozen_val=self.folder / "val.json")
        decided = decide(settings)
        decided.freeze(settings)
        numbers = {file.path: file for file in self.alive()}
        parts = {part: [numbers[decided.manifest.path(one)] for one in decided.manifest.part(part)]
                 for part in ("train", "val")}  # fmt: skip
        for file in parts["train"]:
            self.judge(file)
        self.was_val.update(file.number for file in parts["val"])
        self.counts.update(rounds=1, train=len(parts["train"]), val=len(parts["val"]))
        self.counts["left out"] += len(self.alive()) - len(parts["train"]) - len(parts["val"])

    def judge(self, file: File) -> None:
        """Count the train picture by its relation to pictures that were val."""
        children = [each for each in self.files if each.parent == file.number and each.number in self.was_val]
        if file.number in self.was_val or file.parent in self.was_val or children:
            relation = children[0].how if children else file.how
            self.leaks.append(f"{file.path.name} trains: {relation} of an earlier val picture")
        elif self.ancestor(file) in {self.ancestor(self.files[number]) for number in self.was_val}:
            self.counts["relatives of relatives"] += 1

    def ancestor(self, file: File) -> int:
        """The picture that everything like it was made from."""
        while file.parent is not None:
            file = self.files[file.parent]
        return file.number

    def alive(self) -> list[File]:
        return [file for file in self.files if file.alive]

    def add_new(self, count: int) -> None:
        for _ in range(count):
            self.store(encoded(next(self.sources), 92), None, "new")

    def add_copy(self, file: File) -> None:
        how = self.draw.choice(tuple(COPIES))
        self.store(COPIES[how](file.path.read_bytes(), self.draw), file.number, how)
        self.counts["copies"] += 1

    def store(self, data: bytes, parent: int | None, how: str) -> None:
        number = len(self.files)
        path = (
            self.folder
            / self.draw.choice(ROOTS)
            / "JPEGImages"
            / f"{number:04d}_{self.draw.randrange(10**6)}.jpg"
        )
        file = File(number, path, parent, how)
        self.files.append(file)
        self.write(file, data)

    def write(self, file: File, data: bytes) -> None:
        width, height = Image.open(io.BytesIO(data)).size
        annotation = annotation_of(file.path)
        for path in (file.path, annotation):
            path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_bytes(data)
        label = LABELS[file.number % 2]
        text = XML.format(w=width, h=height, x=width // 2, y=height // 2, label=label)
        annotation.write_text(text, encoding="utf-8")

    def move(self, file: File) -> None:
        """Rename, maybe into the other root."""
        data = file.path.read_bytes()
        self.unlink(file)
        name = f"{file.number:04d}_{self.draw.randrange(10**6)}.jpg"
        file.path = self.folder / self.draw.choice(ROOTS) / "JPEGImages" / name
        self.write(file, data)

    def remove(self, file: File) -> None:
        self.unlink(file)
        file.alive = False

    def unlink(self, file: File) -> None:
        file.path.unlink()
        annotation_of(file.path).unlink()


def annotation_of(path: Path) -> Path:
    return path.parents[1] / "Annotations" / f"{path.stem}.xml"


def encoded(picture: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _cropped(picture: Image.Image, draw: random.Random) -> Image.Image:
    width, height = (round(side * draw.uniform(0.9, 1)) for side in picture.size)
    left, top = draw.randint(0, picture.width - width), draw.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def _resized(picture: Image.Image, draw: random.Random) -> Image.Image:
    scale = draw.uniform(0.5, 1.3)
    return picture.resize([max(32, round(side * scale)) for side in picture.size], Image.Resampling.BICUBIC)


def _several(data: bytes, draw: random.Random) -> bytes:
    picture = _resized(_cropped(_opened(data), draw), draw)
    if draw.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return encoded(picture, draw.randint(30, 90))


COPIES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "same bytes": lambda data, draw: data,
    "re-encoded": lambda data, draw: encoded(_opened(data), draw.randint(30, 90)),
    "resized": lambda data, draw: encoded(_resized(_opened(data), draw), 90),
    "mirrored": lambda data, draw: encoded(_opened(data).transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90),
    "cropped": lambda data, draw: encoded(_cropped(_opened(data), draw), 92),
    "several": _several,
}


def pictures_of(folders: Sequence[Path], draw: random.Random) -> Iterator[Image.Image]:
    """The pictures of the folders in a random order, at most 640 px wide to save time."""
    paths = sorted(path for folder in folders for path in (folder / "JPEGImages").iterdir())
    draw.shuffle(paths)
    for path in paths:
        picture = Image.open(path).convert("RGB")
        picture.thumbnail((640, 640))
        yield picture


def run_trial(seed: int, folders: Sequence[Path], start: int, rounds: int) -> Trial:
    folder = Path(tempfile.mkdtemp(prefix="merge-rounds-"))
    draw = random.Random(seed)  # noqa: S311 - a reproducible draw
    trial = Trial(folder, draw, pictures_of(folders, draw))
    try:
        trial.play(start, rounds)
    finally:
        shutil.rmtree(folder)
    return trial


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="VOC folder; repeatable")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=24, help="at the start of a trial")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    total: Counter[str] = Counter()
    leaks: list[str] = []
    for seed in range(chosen.seed, chosen.seed + chosen.trials):
        trial = run_trial(seed, chosen.data, chosen.pictures, chosen.rounds)
        total.update(trial.counts)
        leaks += [f"seed {seed}: {leak}" for leak in trial.leaks]
    print("| trials | rounds | train | val | left out | copies | leaks | relatives of relatives |")
    print("|---|" + "---:|" * 7)
    names = ("rounds", "train", "val", "left out", "copies")
    cells = [chosen.trials, *(total[name] for name in names), len(leaks), total["relatives of relatives"]]
    print("| " + " | ".join(map(str, cells)) + " |")
    print("\n".join(leaks))
    return bool(leaks)


if __name__ == "__main__":
    sys.exit(main())
