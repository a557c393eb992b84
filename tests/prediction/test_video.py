from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import save_video

from maskdet.errors import PictureError
from maskdet.prediction.containers import is_cut_off
from maskdet.prediction.video import frame_count, frame_rate, read_frames, staged_video
from maskdet.types import Picture


def shades(count: int, height: int = 48, width: int = 64) -> list[Picture]:
    """Red frames that grow lighter, so that order and colour order show."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0] = np.linspace(60, 240, count)[:, None, None]
    return list(frames)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "口罩 视频.MP4"])
def test_frames_come_in_order_and_in_rgb(tmp_path: Path, name: str) -> None:
    path = save_video(tmp_path / name, shades(8), rate=12.5)
    frames = list(read_frames(path))
    assert len(frames) == 8
    assert frame_count(path) == 8
    assert frame_rate(path) == pytest.approx(12.5)
    for frame, wanted in zip(frames, shades(8), strict=True):
        assert np.abs(frame.astype(int) - wanted).mean() < 8


@pytest.mark.parametrize("size", [(48, 64), (49, 65), (2, 2)])
def test_what_is_written_can_be_read(tmp_path: Path, size: tuple[int, int]) -> None:
    target = tmp_path / "deep" / "口罩.mp4"
    with staged_video(target, 10) as writer:
        for frame in shades(5, *size):
            writer.add(frame)
        assert not target.exists()
    frames = list(read_frames(target))
    assert len(frames) == 5
    assert np.abs(np.array(frame_shape(frames)) - size).max() <= 1
    assert frame_rate(target) == pytest.approx(10)


def frame_shape(frames: list[Picture]) -> tuple[int, int]:
    return frames[0].shape[0], frames[0].shape[1]


def test_a_video_cut_short_is_not_kept(tmp_path: Path) -> None:
    def fail() -> None:
        with staged_video(tmp_path / "a.mp4", 10) as writer:
            writer.add(shades(1)[0])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a video", bytes(4000)])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"bad\.mp4: the video"):
        list(read_frames(path))
    assert frame_count(path) is None


@pytest.mark.parametrize("length", [struct.pack(">I", 5000), struct.pack(">I4sQ", 1, b"mdat", 1 << 33)])
def test_a_file_that_is_cut_off_says_so_after_its_frames(tmp_path: Path, length: bytes) -> None:
    """The last box, which holds frames where the index comes first, is longer than the rest of the file."""
    path = save_video(tmp_path / "cut.mp4", shades(6))
    kind = b"mdat" if len(length) == 4 else b""
    path.write_bytes(path.read_bytes() + length + kind + bytes(900))
    frames = read_frames(path)
    assert len([next(frames) for _ in range(6)]) == 6
    with pytest.raises(PictureError, match=r"cut\.mp4: the video is cut off after 6 frames"):
        next(frames)


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "MJPG"), ("a.mkv", "mp4v")])
def test_other_containers_tell_too(tmp_path: Path, name: str, codec: str) -> None:
    path = tmp_path / name
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
    noise = np.random.default_rng(0).integers(0, 256, (12, 48, 64, 3), np.uint8)
    for frame in noise:
        writer.write(frame)
    writer.release()
    assert len(list(read_frames(path))) == 12
    path.write_bytes(path.read_bytes() + b"what a camera adds")
    assert not is_cut_off(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    with pytest.raises(PictureError, match=r"the video is cut off after \d+ frames"):
        list(read_frames(path))


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF" + bytes(4) + b"AVI " + bytes(40),  # of a recorder that was switched off
        bytes.fromhex("1a45dfa3 80 18538067 01ffffffffffffff") + bytes(40),  # of a live recording
        bytes.fromhex("1a45dfa3 80 18538067"),
        bytes.fromhex("1a45dfa3 80 ec80"),
        bytes.fromhex("1a45dfa3"),
        bytes.fromhex("1a45dfa3 00"),
        bytes(40),
        b"",
    ],
)
def test_a_length_that_is_not_known_tells_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert not is_cut_off(path)


@pytest.mark.parametrize(
    "end", [b"", b"\0" * 20, b"\0\0\0\0free", b"\0\0\0\x10free12345678", b"SEFTnotabox!" * 9]
)
def test_a_whole_file_may_end_as_writers_end_it(tmp_path: Path, end: bytes) -> None:
    path = save_video(tmp_path / "whole.mp4", shades(6))
    path.write_bytes(path.read_bytes() + end)
    assert len(list(read_frames(path))) == 6
