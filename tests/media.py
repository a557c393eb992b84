"""Pictures and videos with painted faces, written to disk for tests."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from support import paint

from maskdet.types import Picture


def save(path: Path, picture: Picture | None = None) -> Path:
    """Write a picture in the format of its ending, one masked face by default."""
    picture = paint({(1, 2): "with_mask"}, 128, 192) if picture is None else picture
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        cv2.imencode(path.suffix.lower(), np.ascontiguousarray(picture[:, :, ::-1]))[1].tobytes()
    )
    return path


def save_video(path: Path, pictures: list[Picture], rate: float = 10.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pictures[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v"))
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, rate, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(np.ascontiguousarray(picture[:, :, ::-1]))
    writer.release()
    return path
