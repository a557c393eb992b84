"""Detections as annotations, for a person to correct in a labelling tool: VOC, YOLO and COCO."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Final, TextIO

from maskdet.dataset.formats.coco_writer import CocoWriter
from maskdet.dataset.formats.labelled import LabelledObject
from maskdet.dataset.formats.voc_writer import write_annotation
from maskdet.dataset.formats.yolo_writer import write_labels
from maskdet.dataset.reading.sizes import Size
from maskdet.errors import DatasetError, UsageError
from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.sources import Source
from maskdet.system.files import staged_folder, write_text
from maskdet.types import box_of

FORMATS: Final = ("voc", "yolo", "coco")

_Write = Callable[[str, Size, Sequence[LabelledObject]], object]


class ProposalWriter:
    """Writes each picture's detections under its own name. Videos, whose frames are no files, are refused."""

    def __init__(self, write: _Write, labels: Sequence[str], *, by_stem: bool, flat: bool = False) -> None:
        """`by_stem`: the format names label files by the picture's name without its suffix; `flat`: its
        folders have one level.
        """
        self._write, self._labels, self._by_stem, self._flat = write, labels, by_stem, flat
        self._taken: set[str] = set()
        self._refused: set[Path] = set()

    def add(self, prediction: Prediction) -> Sequence[Failure]:
        source = prediction.source
        reason = self._refusal(source)
        if not reason:
            try:
                self._write(self._name(source).as_posix(), prediction.size, self._objects(prediction))
            except DatasetError as error:
                reason = error.what
        if not reason or source.path in self._refused:
            return ()
        self._refused.add(source.path)
        return (Failure(source.path.as_posix(), reason),)

    def finish(self, failures: Sequence[Failure]) -> Sequence[Failure]:
        del failures
        return ()

    def _refusal(self, source: Source) -> str:
        if source.kind == "video":
            return "a video has no proposals: save its frames as pictures first"
        name = self._name(source)
        name = name.with_suffix("") if self._by_stem else name
        key = name.as_posix().casefold()
        if key in self._taken:
            return "it has no proposals: they would replace those of another picture of this name"
        self._taken.add(key)
        return ""

    def _name(self, source: Source) -> PurePath:
        """day1/a.jpg is day1-a.jpg in flat folders."""
        return PurePath("-".join(source.below.parts)) if self._flat else source.below

    def _objects(self, prediction: Prediction) -> list[LabelledObject]:
        found = prediction.concluded.detections
        rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
        # To a hundredth of a pixel, as in all results.
        return [
            LabelledObject(self._labels[class_id], box_of(round(edge, 2) for edge in edges), score=score)
            for class_id, score, edges in rows
        ]


def check_free(formats: Collection[str], out: Path) -> None:
    """Raise UsageError if proposals are there already: a person may have corrected them by now."""
    for form in FORMATS:
        folder = proposals_folder(out, form)
        if form in formats and folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise UsageError(
                f"{folder} exists already, and may hold corrected labels", "move it, or choose another --out"
            )


@contextmanager
def open_proposals(form: str, out: Path, labels: Sequence[str]) -> Iterator[ProposalWriter]:
    """The writer of one of FORMATS; `proposals_folder` appears only if the block succeeds."""
    with staged_folder(proposals_folder(out, form)) as folder:
        if form == "coco":
            with (folder / "instances.json").open("w", encoding="utf-8", errors="backslashreplace") as stream:
                yield from _coco(stream, labels)
            return
        write = _VOC_OR_YOLO[form](folder, labels)
        yield ProposalWriter(write, labels, by_stem=True, flat=form == "voc")


def proposals_folder(out: Path, form: str) -> Path:
    return out / form


def _coco(stream: TextIO, labels: Sequence[str]) -> Iterator[ProposalWriter]:
    writer = CocoWriter(stream, labels)
    yield ProposalWriter(writer.add, labels, by_stem=False)
    writer.finish()


def _voc(folder: Path, labels: Sequence[str]) -> _Write:
    del labels

    def write(name: str, size: Size, objects: Sequence[LabelledObject]) -> None:
        write_annotation(folder, name, size, objects)

    return write


def _yolo(folder: Path, labels: Sequence[str]) -> _Write:
    ids = {label: number for number, label in enumerate(labels)}
    write_text(folder / "classes.txt", "".join(f"{label}\n" for label in labels))

    def write(name: str, size: Size, objects: Sequence[LabelledObject]) -> None:
        write_labels(folder / "labels", str(PurePath(name).with_suffix(".txt")), objects, ids, size)

    return write


_VOC_OR_YOLO: Final = {"voc": _voc, "yolo": _yolo}
