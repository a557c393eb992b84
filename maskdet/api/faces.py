"""What was found in one picture: a sequence of faces, with the verdict and ways to show and store it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from PIL import Image

from maskdet.api.conversions import to_pandas, to_supervision
from maskdet.api.sources import Rereadable, pixels_of
from maskdet.detector.conclusion import Conclusion
from maskdet.detector.draw import draw
from maskdet.detector.verdict import Decision
from maskdet.errors import PictureError, UsageError
from maskdet.prediction.records import CSV_COLUMNS, csv_rows, picture_record
from maskdet.system.files import staged_file, write_text
from maskdet.types import Detections

if TYPE_CHECKING:
    import pandas
    import supervision

_JPEG_QUALITY = 90
_SHOWN_SIDE = 800
"""Longer side in pixels of the picture shown in a notebook."""


class Face(NamedTuple):
    """One face.

    label: a class name of the model; score: how sure the model is, 0 to 1; box: x1, y1, x2, y2 in pixels of
    the picture after its EXIF turn, from the upper left corner.
    """

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Faces(Sequence[Face]):
    """The faces of one picture, best score first.

    `faces[0]`, `len(faces)` and `for label, score, box in faces` work as in a list of `Face`. A notebook
    shows the picture with its boxes. The pixels are not kept: to draw, the picture is read again from its
    source, so a file must still exist, and an array must be unchanged.
    """

    source: Rereadable
    """What was passed in, the bytes of an opened file, or the frame of a video."""
    width: int
    """Pixels, after the EXIF turn."""
    height: int
    """Pixels, after the EXIF turn."""
    labels: tuple[str, ...]
    """Class names of the model by class id."""
    concluded: Conclusion
    file: str | None = None
    """The path that was passed in, with forward slashes; None for bytes, images and arrays."""
    frame: int | None = None
    """Number of the frame in its video, from 0; None for a picture."""

    @property
    def verdict(self) -> Decision:
        """Whether the picture complies with the mask rule, in the server's words.

        violation: a face breaks the rule; uncertain: none does, but one is just below its threshold; else ok.
        """
        return self.concluded.verdict.outcome

    @property
    def counts(self) -> dict[str, int]:
        """Faces by label, including zeros and those that `max_detections` left out."""
        return dict(self.concluded.verdict.counts)

    @property
    def detections(self) -> Detections:
        """The same as arrays: `boxes` [N, 4] and `scores` [N] float32, `class_ids` [N] int64."""
        return self.concluded.detections

    def __len__(self) -> int:
        return len(self.detections)

    @overload
    def __getitem__(self, place: int) -> Face: ...
    @overload
    def __getitem__(self, place: slice) -> list[Face]: ...
    def __getitem__(self, place: int | slice) -> Face | list[Face]:
        return list(self)[place]

    def __iter__(self) -> Iterator[Face]:
        found = self.detections
        rows = zip(found.class_ids.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
        for class_id, score, (x1, y1, x2, y2) in rows:
            yield Face(self.labels[class_id], score, (x1, y1, x2, y2))

    def __repr__(self) -> str:
        told = ", ".join(f"{label} {number}" for label, number in self.counts.items() if number)
        frame = "" if self.frame is None else f", frame {self.frame}"
        place = f"{self.file or type(self.source).__name__}{frame}"
        return f"<Faces: {told or 'none'}; {self.verdict}; {place}, {self.width}x{self.height}>"

    def draw(self, *, keep_size: bool = False) -> Image.Image:
        """A copy of the picture with boxes and captions, as `maskdet predict` draws it: a small crowded
        picture is enlarged and gets a legend strip, unless `keep_size` is set.

        Raises PictureError if the picture cannot be read again, or has changed size.
        """
        picture = pixels_of(self.source)
        if picture.shape[:2] != (self.height, self.width):
            raise PictureError(
                f"{self.file or 'the picture'} was {self.width}x{self.height} pixels and has changed",
                "run the detector on it again",
            )
        return Image.fromarray(draw(picture, self.detections, self.labels, keep_size=keep_size))

    def save(self, path: str | PathLike[str], *, keep_size: bool = False) -> Path:
        """Write the picture of `draw` in the format of the path's suffix; returns the path.

        Raises UsageError for an unknown suffix or a path that cannot be written.
        """
        target, drawn = Path(path), self.draw(keep_size=keep_size)
        try:
            with _writing(target), staged_file(target) as aside:
                drawn.save(aside, quality=_JPEG_QUALITY)
        except ValueError as error:
            raise UsageError(f"{target}: {error}", "end the name in .jpg, .png or .webp") from error
        return target

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: the entry of `maskdet predict`, with the keys of the server's answers.

        `file`, `frame` (where there is one), `width`, `height`, `detections` (`label`, `score` to four
        places, `box` to a hundredth of a pixel) and `verdict` (`outcome`, `counts`).
        """
        size = (self.height, self.width)
        return picture_record(self.concluded, self.labels, size=size, file=self.file, frame=self.frame)

    def to_csv(self, path: str | PathLike[str] | None = None) -> str:
        """The table that `maskdet predict --format csv` writes, one row per face; also to a file if given.

        Raises UsageError for a path that cannot be written.
        """
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(CSV_COLUMNS)
        table.writerows(csv_rows(self.to_dict()))
        if path is not None:
            with _writing(Path(path)):
                write_text(Path(path), text.getvalue())
        return text.getvalue()

    def to_pandas(self) -> pandas.DataFrame:
        """The same table as a pandas DataFrame. Raises EnvironmentProblem if pandas is not installed."""
        return to_pandas(self.to_dict())

    def to_supervision(self) -> supervision.Detections:
        """Supervision's Detections, class names in `data["class_name"]`.

        Raises EnvironmentProblem if supervision is not installed.
        """
        return to_supervision(self.detections, self.labels)

    def _repr_jpeg_(self) -> bytes | None:
        try:
            drawn = self.draw()
        except PictureError:
            # The notebook then shows `__repr__`.
            return None
        drawn.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
        data = io.BytesIO()
        drawn.save(data, "jpeg", quality=_JPEG_QUALITY)
        return data.getvalue()


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror or error}", "choose a writable path") from error
