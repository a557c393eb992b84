"""Videos, frame by frame: read, and written with their detections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from maskdet.errors import PictureError
from maskdet.prediction.containers import is_cut_off
from maskdet.system.files import staged_file
from maskdet.types import Picture

_USUAL_RATE: Final = 25.0
"""Frames per second, for files that do not say."""


class VideoWriter:
    """An MP4 of the frames added, all as large as the first."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._writer: cv2.VideoWriter | None = None

    def add(self, frame: Picture) -> None:
        if self._writer is None:
            self._writer = self._open(frame.shape[1], frame.shape[0])
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.release()

    def _open(self, width: int, height: int) -> cv2.VideoWriter:
        # MPEG-4 part 2: the only codec for MP4 that every OpenCV wheel can write.
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(_utf8(self._path), cv2.CAP_FFMPEG, codec, self._rate, (width, height))
        if not writer.isOpened():
            raise PictureError(
                f"{self._path}: a video of {width}x{height} cannot be written", "leave out draw"
            )
        return writer


@contextmanager
def staged_video(target: Path, rate: float) -> Iterator[VideoWriter]:
    """A `VideoWriter` whose file appears as `target` only if the block succeeds."""
    with staged_file(target) as aside:
        writer = VideoWriter(aside, rate)
        try:
            yield writer
        finally:
            writer.close()


def read_frames(path: Path) -> Iterator[Picture]:
    """Every frame in order, rotated as the file says.

    Raises PictureError if there is none, and after the last one if the file is cut off.
    """
    with _captured(path) as capture:
        count = 0
        while True:
            frame = _next_frame(capture, path)
            if frame is None:
                break
            count += 1
            yield frame
    if not count:
        raise PictureError(f"{path}: the video has no readable frame", "convert it to MP4 (H.264)")
    if is_cut_off(path):
        raise PictureError(
            f"{path}: the video is cut off after {count} frames: its end is missing", "copy the whole file"
        )


def frame_rate(path: Path) -> float:
    """Frames per second."""
    with _captured(path) as capture:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if 0 < rate < 1000 else _USUAL_RATE


def frame_count(path: Path) -> int | None:
    """The count that the file claims, which may be slightly off; None if missing or unreadable."""
    try:
        with _captured(path) as capture:
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    except PictureError:
        return None
    return count if count > 0 else None


def _next_frame(capture: cv2.VideoCapture, path: Path) -> Picture | None:
    try:
        there, frame = capture.read()
        return np.ascontiguousarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) if there else None
    except cv2.error as error:
        raise PictureError(f"{path}: a frame cannot be read: {error}", "convert it to MP4 (H.264)") from error


def _utf8(path: Path) -> str:
    """The path in a form that does not crash OpenCV. Raises PictureError if it is not UTF-8."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        raise PictureError(f"{path}: the name is not UTF-8", "rename the file") from error
    return str(path)


@contextmanager
def _captured(path: Path) -> Iterator[cv2.VideoCapture]:
    # FFmpeg cannot mistake an absolute path for a protocol such as concat:.
    capture = cv2.VideoCapture(_utf8(path.resolve()), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise PictureError(f"{path}: the video cannot be opened", "convert it to MP4 (H.264)")
        yield capture
    finally:
        capture.release()
