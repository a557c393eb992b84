"""The detector for Python code: any kind of picture in, `Faces` out."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Literal, TypedDict, overload

import numpy as np
from PIL import Image
from typing_extensions import Unpack

from maskdet.api.faces import Faces
from maskdet.api.sources import (
    PictureLike,
    Rereadable,
    SupportsRead,
    decoded,
    file_of,
    path_of,
    rereadable,
)
from maskdet.detector.bundle import Bundle
from maskdet.detector.conclusion import examine
from maskdet.detector.detector import Detector
from maskdet.detector.picture import DecodedPicture
from maskdet.detector.runtime.registry import shares_cores
from maskdet.detector.settings import BundleMeta
from maskdet.detector.thresholds import Threshold, thresholds_of
from maskdet.detector.tiling import Look
from maskdet.detector.verdict import MaskRule
from maskdet.errors import PictureError, UsageError
from maskdet.prediction.video import read_frames
from maskdet.system.flow import run_in_order
from maskdet.system.machine import core_count
from maskdet.types import FloatArray, Picture

_ONE = (str, PathLike, bytes, bytearray, memoryview, SupportsRead, Image.Image, np.ndarray)


class Options(TypedDict, total=False):
    """Options of a call; `MaskDetector.__call__` explains each."""

    threshold: Threshold
    tile: bool
    flip: bool
    max_detections: int | None


@dataclass(frozen=True, slots=True)
class _Question:
    thresholds: FloatArray
    look: Look
    most: int | None


class MaskDetector:
    """A loaded model, created by `maskdet.load`.

    It is immutable, so any number of threads may share it; the options of a call apply to that call only.

    A picture is any of:

    - a path, as text or `pathlib.Path`. URLs are refused: nothing is ever fetched.
    - the bytes of a JPEG, PNG, BMP, WebP, TIFF or GIF file, or such a file opened in binary mode.
    - a Pillow image. Its EXIF orientation is applied, as it is to files.
    - a numpy array [height, width, 3], uint8, in **RGB**. Pictures from `cv2.imread` are BGR: pass
      `picture[:, :, ::-1]`. Grey arrays ([height, width]) become RGB, alpha is dropped, and uint16 keeps the
      high byte, as with files. Floats are refused, since their range is unknown.
    """

    def __init__(self, bundle: Bundle, rule: MaskRule, *, threads: int = 0, device: str = "cpu") -> None:
        """`threads`, `device` and errors as for `maskdet.detector.detector.Detector`."""
        self._alone = Detector(bundle, threads=threads, device=device)
        # Several pictures on a CPU: one core per picture is faster than all cores on one after another.
        share = shares_cores(device)
        self._each = Detector(bundle, threads=1, device=device) if share else self._alone
        self._bundle, self._rule, self._device = bundle, rule, device

    @property
    def meta(self) -> BundleMeta:
        """The metadata of the model file: name, input size, figures on val, licence."""
        return self._bundle.meta

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names by class id."""
        return self.meta.labels

    @property
    def thresholds(self) -> dict[str, float]:
        """The lowest score that counts, by label."""
        return dict(self.meta.thresholds)

    @property
    def path(self) -> Path:
        """The model file."""
        return self._bundle.path

    def __repr__(self) -> str:
        meta = self.meta
        return f"<MaskDetector: {meta.name}, {meta.variant}; {', '.join(meta.labels)}; on {self._device}>"

    # A string is a sequence, and a sequence an iterable: the first overload that fits applies.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, picture: PictureLike, **options: Unpack[Options]
    ) -> Faces: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, picture: Sequence[PictureLike], **options: Unpack[Options]
    ) -> list[Faces]: ...
    @overload
    def __call__(
        self, picture: Iterable[PictureLike], **options: Unpack[Options]
    ) -> Generator[Faces, None, None]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, picture: Sequence[PictureLike], *, return_errors: Literal[True], **options: Unpack[Options]
    ) -> list[Faces | PictureError]: ...
    @overload
    def __call__(
        self, picture: Iterable[PictureLike], *, return_errors: Literal[True], **options: Unpack[Options]
    ) -> Generator[Faces | PictureError, None, None]: ...
    def __call__(
        self,
        picture: PictureLike | Iterable[PictureLike],
        *,
        threshold: Threshold = None,
        tile: bool = False,
        flip: bool = False,
        max_detections: int | None = None,
        return_errors: bool = False,
    ) -> object:
        """Find the faces in a picture, or in each of several.

        picture: one picture gives `Faces`; a list or tuple of pictures a list, in order; any other iterable,
            such as a generator, a generator that reads ahead at most two pictures per core. Several
            pictures are processed on all cores.
        threshold: the lowest score that counts, for all labels, or a dict for some of them; by default
        the model's own.
        tile: also run on four overlapping tiles; finds smaller faces, five times slower.
        flip: also run on the mirrored picture; two times slower.
        max_detections: keep at most this many faces, the best ones. Verdict and counts cover all of them.
        return_errors: with several pictures, return the PictureError of an unreadable one in its place
        instead of raising it.

        Raises PictureError, which names the file or the position, such as pictures[2]; UsageError for an
        invalid option; BundleError if the model fails.
        """
        question = self._question(threshold, Look(tile, flip), max_detections)
        if isinstance(picture, Mapping):
            raise UsageError("a mapping is no list of pictures", "pass its values: list(pictures.values())")
        if isinstance(picture, _ONE) or not isinstance(picture, Iterable):
            return self._look(self._alone, picture, question)
        several = self._several(picture, question, return_errors)
        return list(several) if isinstance(picture, Sequence) else several

    def video(
        self,
        path: str | PathLike[str],
        *,
        threshold: Threshold = None,
        tile: bool = False,
        flip: bool = False,
        max_detections: int | None = None,
    ) -> Generator[Faces, None, None]:
        """The faces of each frame of a video file, in order; `faces.frame` counts from 0.

        Frames are read on demand and processed on all cores. Each `Faces` holds its frame, so keep only those
        that you need. Options and errors as for a picture.
        """
        question = self._question(threshold, Look(tile, flip), max_detections)
        return self._frames(path_of(path, video=True), question)

    def _question(self, threshold: Threshold, look: Look, most: int | None) -> _Question:
        if most is not None and most < 0:
            raise UsageError(f"max_detections is {most}", "pass a number of faces, or None for all")
        return _Question(thresholds_of(self.meta, threshold), look, most)

    def _several(
        self, pictures: Iterable[PictureLike], question: _Question, return_errors: bool
    ) -> Generator[Faces | PictureError, None, None]:
        tasks = (
            partial(self._item, number, picture, question, return_errors)
            for number, picture in enumerate(pictures)
        )
        with closing(run_in_order(tasks, core_count())) as found:
            yield from found

    def _item(
        self, number: int, picture: PictureLike, question: _Question, return_errors: bool
    ) -> Faces | PictureError:
        try:
            return self._look(self._each, picture, question)
        except PictureError as error:
            if not isinstance(picture, str | PathLike):
                error.what = f"pictures[{number}]: {error.what}"
            if return_errors:
                return error
            raise

    def _look(self, detector: Detector, given: PictureLike, question: _Question) -> Faces:
        source = rereadable(given)
        picture = decoded(source, at_least=question.look.least_size(self.meta.input_size))
        return self._found(detector, source, picture, question)

    def _found(
        self, detector: Detector, source: Rereadable, picture: DecodedPicture, question: _Question
    ) -> Faces:
        concluded = examine(
            detector,
            picture.pixels,
            question.thresholds,
            self._rule,
            look=question.look,
            size=picture.size,
            max_detections=question.most,
        )
        height, width = picture.size
        return Faces(source, width, height, self.labels, concluded, file_of(source))

    def _frames(self, path: Path, question: _Question) -> Generator[Faces, None, None]:
        def tasks() -> Iterator[partial[Faces]]:
            for number, frame in enumerate(read_frames(path)):
                yield partial(self._frame, path, number, frame, question)

        with closing(run_in_order(tasks(), core_count())) as found:
            yield from found

    def _frame(self, path: Path, number: int, frame: Picture, question: _Question) -> Faces:
        return replace(
            self._found(self._each, frame, decoded(frame, at_least=None), question),
            file=path.as_posix(),
            frame=number,
        )
