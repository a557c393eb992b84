from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from maskdet.detector.jpeg import JpegLayout, read_layout


def jpeg(**options: object) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    Image.fromarray(noise).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"comment": b"\xff\xd9 hi \xff\xda"}])
def test_whole_files(options: dict[str, object]) -> None:
    data = jpeg(**options)
    assert read_layout(data) == JpegLayout((30, 50), b"", 1, complete=True)
    assert read_layout(data + b"trailer that some phones write") == JpegLayout(
        (30, 50), b"", 1, complete=True
    )


def test_scans_of_a_progressive_file_are_counted() -> None:
    assert read_layout(jpeg(progressive=True)) == JpegLayout((30, 50), b"", 10, complete=True)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_scans_end_with_the_picture(options: dict[str, object]) -> None:
    data = jpeg(**options)
    found = read_layout(data)
    assert read_layout(data + 100 * b"video \xff\xda") == found


def test_an_end_marker_in_a_comment_between_scans_is_not_the_end() -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    found = read_layout(data[:last] + b"\xff\xfe\x00\x06\xff\xd9\xff\xda" + data[last:])
    assert found == JpegLayout((30, 50), b"", 10, complete=True)


def test_an_end_marker_in_the_header_is_not_the_end() -> None:
    data = jpeg(comment=b"\xff\xd9")
    assert read_layout(data[:-2]) == JpegLayout((30, 50), b"", 1, complete=False)


def test_fill_bytes_and_stray_bytes_between_markers_are_passed_over() -> None:
    data = jpeg()
    assert read_layout(data[:2] + b"\xff\xff" + data[2:]) == JpegLayout((30, 50), b"", 1, complete=True)
    assert read_layout(data[:2] + b"\x00\xff\x00" + data[2:]) == JpegLayout((30, 50), b"", 1, complete=True)
    assert read_layout(data[:2] + b"\xff\xd0\xff\x01" + data[2:]) == JpegLayout(
        (30, 50), b"", 1, complete=True
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xc0\x00\x01",
        b"GIF89a",
        b"\xff\xd8\xff\xda\x00\x02\xff\xd9",
    ],
)
def test_what_makes_no_picture(data: bytes) -> None:
    assert read_layout(data) is None


def test_the_exif_block_is_found() -> None:
    assert read_layout(jpeg(exif=b"Exif\0\0block")) == JpegLayout(
        (30, 50), b"Exif\0\0block", 1, complete=True
    )
