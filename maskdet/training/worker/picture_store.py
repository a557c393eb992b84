"""The pictures of a training: decoded once while memory allows, and reported when they are lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from maskdet.detector.picture import DecodedPicture, read_reduced
from maskdet.errors import PictureError, TrainingError
from maskdet.types import Picture

Report = Callable[..., None]
Size = tuple[int, int]
"""Height and width in pixels."""
_MOST_LOST = 0.05
"""Share of the pictures that may be lost during training; one always may."""


class PictureStore:
    """Decoded pictures, up to a number of bytes in all.

    The first ones stay: every epoch shows all pictures once in another order, so evicting the least recently
    used would evict the ones that come next.
    """

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._kept: dict[tuple[Path, Size | None], DecodedPicture] = {}

    def read(self, path: Path) -> Picture:
        """Read-only pixels [H, W, 3], RGB, at full size. Raises PictureError."""
        return self.read_reduced(path, None).pixels

    def read_reduced(self, path: Path, at_least: Size | None) -> DecodedPicture:
        """Like `picture.read_reduced`, but read-only. Raises PictureError."""
        kept = self._kept.get((path, at_least))
        if kept is not None:
            return kept
        picture = read_reduced(path, at_least=at_least)
        if picture.pixels.nbytes <= self._free:
            self._free -= picture.pixels.nbytes
            picture.pixels.flags.writeable = False
            self._kept[path, at_least] = picture
        return picture


class LostPictures:
    """Pictures that were readable when the data set was prepared, but no longer are."""

    def __init__(self, total: int, report: Report) -> None:
        self._most = max(1, int(total * _MOST_LOST))
        self._total, self._report = total, report
        self._lost: set[Path] = set()

    def add(self, path: Path, error: PictureError) -> None:
        """Report it once. Raises TrainingError if too many are lost for the rest to represent the data."""
        if path in self._lost:
            return
        self._lost.add(path)
        self._report("warning", kind="picture", file=str(path), text=f"left out: {error.what}")
        if len(self._lost) > self._most:
            raise TrainingError(
                f"{len(self._lost)} of {self._total} train pictures are no longer readable: {error.what}",
                "restore the files, or run `maskdet prepare --force` and train again",
            )
