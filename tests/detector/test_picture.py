from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps, features

from maskdet.detector.picture import (
    PictureLimits,
    decode,
    decode_reduced,
    read_picture,
)
from maskdet.errors import PictureError

ORIENTATION = 0x0112


def gradient(height: int = 60, width: int = 80) -> np.ndarray:
    """Smooth, so that lossy formats keep it, and different in each corner and channel."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = [255 * x / width, 255 * y / height, 255 * (1 - x / width) * (1 - y / height)]
    return np.stack(planes, axis=2).astype(np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_orientation(kind: str, turn: int) -> bytes:
    image = Image.fromarray(gradient())
    if kind == "TIFF":
        return encoded(image, kind, tiffinfo={ORIENTATION: turn})
    exif = Image.Exif()
    exif[ORIENTATION] = turn
    return encoded(image, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))


def png_header(width: int, height: int, colour_type: int = 2) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", ihdr)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_size(width: int, height: int) -> bytes:
    """A tiny JPEG whose frame header claims another size."""
    data = bytearray(encoded(Image.fromarray(gradient()), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def as_the_trainer(data: bytes) -> np.ndarray:
    """What ppdet's Decode gives."""
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), 1), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_as_they_were(kind: str) -> None:
    assert np.array_equal(decode(encoded(Image.fromarray(gradient()), kind)), gradient())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF"])
def test_lossy_formats_come_back_nearly(kind: str) -> None:
    picture = decode(encoded(Image.fromarray(gradient()), kind))
    assert picture.shape == (60, 80, 3)
    assert np.abs(picture.astype(int) - gradient()).mean() < 12


MODES = {
    "JPEG": ["RGB", "L", "1", "CMYK"],
    "PNG": ["RGB", "L", "P", "RGBA", "LA", "1"],
    "BMP": ["RGB", "L", "P", "RGBA", "1"],
    "WEBP": ["RGB", "L", "P", "RGBA", "LA", "1"],
    "TIFF": ["RGB", "L", "P", "LA", "1", "CMYK"],  # RGBA is left out: OpenCV multiplies it by its alpha
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_pixels_are_those_of_the_trainer(kind: str, mode: str) -> None:
    image = Image.fromarray(gradient()).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(gradient()[:, :, 0]))
    data = encoded(image, kind)
    picture = decode(data)
    assert picture.dtype == np.uint8
    assert picture.flags["C_CONTIGUOUS"]
    assert np.array_equal(picture, as_the_trainer(data))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_16_bit_keeps_the_high_byte(suffix: str, channels: int) -> None:
    wide = gradient()[:, :, :channels].astype(np.uint16) * 256 + 7
    data = cv2.imencode(suffix, np.ascontiguousarray(wide[:, :, ::-1]))[1].tobytes()
    wanted = np.broadcast_to(gradient()[:, :, :channels], (60, 80, 3))
    assert np.abs(decode(data).astype(int) - wanted).max() <= 1


def test_alpha_is_dropped_not_blended() -> None:
    pixels = np.dstack([gradient(), np.zeros((60, 80), np.uint8)])
    assert np.array_equal(decode(encoded(Image.fromarray(pixels), "PNG")), gradient())


def test_transparent_palette_gives_its_colours() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    data = encoded(image, "PNG", transparency=bytes([0, 0]))
    assert (decode(data) == [10, 200, 30]).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF"])
def test_the_first_frame_counts(kind: str) -> None:
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(decode(data).astype(int) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation_is_applied(kind: str, turn: int) -> None:
    data = with_orientation(kind, turn)
    tagged = Image.fromarray(gradient())
    tagged.getexif()[ORIENTATION] = turn
    wanted = np.asarray(ImageOps.exif_transpose(tagged))
    picture = decode(data)
    assert picture.shape == wanted.shape
    assert np.abs(picture.astype(int) - wanted).mean() < 3
    assert np.array_equal(picture, as_the_trainer(data)) or kind == "TIFF"


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"])
def test_damaged_exif_leaves_the_picture_as_stored(exif: bytes) -> None:
    assert decode(encoded(Image.fromarray(gradient()), "JPEG", exif=exif)).shape == (60, 80, 3)


@pytest.mark.parametrize("turn", [0, 9, 4000])
def test_unknown_orientation_leaves_the_picture_as_stored(turn: int) -> None:
    assert decode(with_orientation("JPEG", turn)).shape == (60, 80, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF"])
def test_one_pixel(kind: str) -> None:
    assert decode(encoded(Image.new("RGB", (1, 1), "white"), kind)).shape == (1, 1, 3)


@pytest.mark.parametrize(
    "data",
    [
        png_header(20_000, 20_000),
        png_header(8_000, 8_000),
        jpeg_of_size(9_000, 9_000),
        webp_header(16_000, 16_000),
    ],
    ids=["png 400 MP", "png 64 MP", "jpeg 81 MP", "webp 256 MP"],
)
def test_bombs_are_refused_by_their_header(data: bytes) -> None:
    # Pillow before 13 looks for the pixels of a WebP first, which are not there.
    with pytest.raises(PictureError, match=r"pixels; at most 50000000|could not create decoder object"):
        decode(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bombs_are_refused_where_warnings_are_only_shown() -> None:
    with pytest.raises(PictureError, match="10000x10000 pixels; at most 50000000"):
        decode(png_header(10_000, 10_000))


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    data = encoded(Image.fromarray(gradient()), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(PictureError, match="has 1010 scans, more than 64"):
        decode(data[:-2] + 1000 * scan + data[-2:])


def test_a_photo_with_a_video_behind_it_is_read() -> None:
    data = encoded(Image.fromarray(gradient()), "JPEG")
    video = np.random.default_rng(0).bytes(1 << 20) + 65 * b"\xff\xda"
    assert np.array_equal(decode(data + video), decode(data))


def test_the_pixel_limit_is_inclusive() -> None:
    data = encoded(Image.fromarray(gradient()), "PNG")
    assert decode(data, PictureLimits(max_pixels=4800)).shape == (60, 80, 3)
    with pytest.raises(PictureError, match="80x60 pixels; at most 4799"):
        decode(data, PictureLimits(max_pixels=4799))


def test_the_byte_limit_is_inclusive() -> None:
    data = encoded(Image.fromarray(gradient()), "PNG")
    assert decode(data, PictureLimits(max_bytes=len(data))).shape == (60, 80, 3)
    with pytest.raises(PictureError, match=f"has {len(data)} bytes, more than {len(data) - 1}"):
        decode(data, PictureLimits(max_bytes=len(data) - 1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_cut_pictures_are_refused(kind: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(PictureError) as caught:
        decode(data[: int(len(data) * part)])
    assert caught.value.hint


def test_cut_pictures_are_refused_whatever_another_library_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)), "PNG")

    with pytest.raises(PictureError):
        decode(whole[: len(whole) // 2])


@pytest.mark.parametrize("missing", [1, 2, 30])
def test_a_jpeg_without_its_end_is_refused_even_with_a_thumbnail(missing: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = encoded(Image.fromarray(gradient()), "JPEG").decode("latin-1")
    data = encoded(Image.fromarray(gradient()), "JPEG", exif=exif)
    assert data.count(b"\xff\xd9") == 1 or data.index(b"\xff\xd9") < len(data) - 2
    with pytest.raises(PictureError, match="cut off"):
        decode(data[:-missing])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xd8",
        b"hello",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"RIFF\0\0\0\0WEBP",
        b"<svg/>",
        b"%PDF-1.7",
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError):
        decode(data)


def test_32_bit_floats_are_refused() -> None:
    with pytest.raises(PictureError, match="32-bit"):
        decode(encoded(Image.fromarray(gradient()[:, :, 0].astype(np.float32)), "TIFF"))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF"])
def test_random_damage_gives_a_picture_or_a_picture_error(kind: str) -> None:
    rng = np.random.default_rng(len(kind))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    whole = encoded(Image.fromarray(gradient()), kind, exif=exif)
    limits = PictureLimits(max_pixels=1_000_000)
    for _ in range(150):
        data = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else whole)
        reach = len(data) if rng.random() < 0.3 else min(len(data), 200)
        for place in rng.integers(0, reach, rng.integers(1, 12)):
            data[place] = rng.integers(0, 256)
        try:
            picture = decode(bytes(data), limits)
        except PictureError:
            continue
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3


def test_random_bytes_are_refused() -> None:
    rng = np.random.default_rng(1)
    for start in (
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"BM",
        b"GIF89a",
        b"II*\0",
        b"RIFF\x40\0\0\0WEBPVP8 ",
    ):
        for _ in range(40):
            with pytest.raises(PictureError):
                decode(start + rng.bytes(200))


def face_mask_pictures() -> list[Path]:
    default = Path(__file__).parents[3] / "shared" / "data" / "face_mask"
    return sorted(Path(os.environ.get("MASKDET_FACE_MASK", default)).glob("JPEGImages/*"))[::10]


@pytest.mark.skipif(
    not face_mask_pictures(), reason="the face mask pictures are not here (MASKDET_FACE_MASK)"
)
def test_real_pictures_are_decoded_as_by_the_trainer() -> None:
    for path in face_mask_pictures():
        assert np.array_equal(read_picture(path), as_the_trainer(path.read_bytes())), path


@pytest.mark.parametrize(
    ("size", "at_least", "wanted"),
    [
        ((800, 1200), (100, 100), (100, 150)),
        ((800, 1200), (101, 100), (200, 300)),
        ((800, 1200), (320, 320), (400, 600)),
        ((800, 1200), (416, 416), (800, 1200)),
        ((801, 1203), (100, 150), (101, 151)),
        ((40, 40), (416, 416), (40, 40)),
    ],
)
def test_reduced_decode_keeps_at_least_the_size_asked_for(
    size: tuple[int, int], at_least: tuple[int, int], wanted: tuple[int, int]
) -> None:
    reduced = decode_reduced(encoded(Image.fromarray(gradient(*size)), "JPEG"), at_least=at_least)
    assert reduced.pixels.shape[:2] == wanted
    assert reduced.size == size


def test_reduced_decode_turns_too() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded(Image.fromarray(gradient(405, 806)), "JPEG", exif=exif)
    reduced = decode_reduced(data, at_least=(100, 50))
    assert reduced.size == (806, 405)
    assert reduced.pixels.shape == (101, 51, 3)
    whole = cv2.resize(decode(data), (51, 101), interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.pixels.astype(int) - whole).mean() < 4


def test_only_jpeg_is_reduced() -> None:
    reduced = decode_reduced(encoded(Image.fromarray(gradient(800, 800)), "PNG"), at_least=(10, 10))
    assert reduced.pixels.shape == (800, 800, 3)
    assert reduced.size == (800, 800)


def test_a_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "口罩 照片.JPG"
    path.write_bytes(encoded(Image.fromarray(gradient()), "PNG"))
    assert np.array_equal(read_picture(path), gradient())


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
    ],
)
def test_formats_that_are_not_decoded_are_named(start: bytes, name: str) -> None:
    with pytest.raises(PictureError, match=f"in the format {name}, which is not decoded") as caught:
        decode(start + bytes(100))
    assert caught.value.hint == "save it as JPEG"


def test_a_saved_avif_is_named() -> None:
    if not features.check("avif"):
        pytest.skip("this Pillow cannot write AVIF")
    with pytest.raises(PictureError, match="format AVIF"):
        decode(encoded(Image.fromarray(gradient()), "AVIF"))


def test_file_errors_name_the_file(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    large = tmp_path / "large.png"
    large.write_bytes(bytes(2000))
    for path, what in (
        (bad, "known format"),
        (tmp_path / "none.jpg", "No such file"),
        (tmp_path, "directory"),
    ):
        with pytest.raises(PictureError, match=what) as caught:
            read_picture(path)
        assert caught.value.what.startswith(f"{path}: ")
    with pytest.raises(PictureError, match="2000 bytes, more than 1000"):
        read_picture(large, PictureLimits(max_bytes=1000))
