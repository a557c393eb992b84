"""Any kind of picture in, the same answer out: alone, in lists, from generators, from threads."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from media import save, save_video
from PIL import Image
from support import cell_box, paint
from trained import SAMPLE

import maskdet
from maskdet.api.sources import pixels_of
from maskdet.detector.picture import read_picture
from maskdet.detector.shipped import ships_model
from maskdet.system.machine import core_count

LABELS = ["with_mask", "without_mask"]


def labels(faces: maskdet.Faces) -> list[str]:
    return sorted(face.label for face in faces)


def exact(faces: maskdet.Faces) -> tuple[bytes, bytes, bytes, str]:
    found = faces.detections
    return found.boxes.tobytes(), found.scores.tobytes(), found.class_ids.tobytes(), faces.verdict


def test_every_kind_of_picture_gives_the_same(detector: maskdet.MaskDetector, photo: Path) -> None:
    data, pixels = photo.read_bytes(), read_picture(photo)
    kinds = [str(photo), photo, data, bytearray(data), memoryview(data), Image.open(photo), pixels]
    kinds.append(np.dstack([pixels, np.zeros(pixels.shape[:2], np.uint8)]))
    kinds.append(pixels.astype(np.uint16) << 8)
    kinds.append(pixels[:, :, ::-1][:, :, ::-1])
    found = [detector(kind) for kind in kinds]
    assert {exact(faces) for faces in found} == {exact(found[0])}
    assert labels(found[0]) == LABELS
    assert found[0][0].box == pytest.approx(cell_box(1, 1, 128, 192), abs=0.01)


def test_numpy_is_rgb(detector: maskdet.MaskDetector, photo: Path) -> None:
    bgr = cv2.imread(str(photo))
    assert labels(detector(bgr[:, :, ::-1])) == LABELS
    # A bare face is painted red, a wrongly worn mask blue.
    assert "mask_weared_incorrect" in labels(detector(bgr))


def test_a_grey_array_is_as_a_grey_file(here: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cv2.imwrite("grey.png", grey)
    for array in (grey, grey[:, :, None]):
        assert np.array_equal(pixels_of(array), read_picture(Path("grey.png")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_file_is(here: Path, orientation: int) -> None:
    image = Image.fromarray(np.random.default_rng(3).integers(0, 255, (20, 30, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save("turned.png", exif=exif)
    opened = Image.open("turned.png")
    assert np.array_equal(pixels_of(opened), read_picture(Path("turned.png")))
    assert opened.size == (30, 20)


def test_an_image_is_left_as_it_is(here: Path) -> None:
    image = Image.new("P", (8, 8))
    image.info["transparency"] = b"\x00\x10"
    pixels_of(image)
    assert image.info["transparency"] == b"\x00\x10"


@pytest.mark.parametrize(
    ("picture", "what", "hint"),
    [
        ("https://example.org/a.jpg", "URLs are not fetched", "download"),
        ("file:///tmp/a.jpg", "URLs are not fetched", "download"),
        (Path(), "is a folder", "glob"),
        ("clip.MP4", "is a video", "video"),
        ("none.jpg", "none.jpg: No such file", "path"),
        (b"", "empty", "JPEG"),
        (b"text", "not a picture", "JPEG"),
        (None, "an object of type NoneType is not a picture", "numpy array"),
        (7, "an object of type int is not a picture", "numpy array"),
        (np.zeros((4, 4, 3), np.float32), "an array of float32", "astype"),
        (np.zeros((4, 4, 3), bool), "an array of bool", "uint8"),
        (np.zeros((3, 4, 5), np.uint8), "an array of 3x4x5", "height, width, 3"),
        (np.zeros((2, 4, 4, 3), np.uint8), "an array of 2x4x4x3", "list"),
        (np.zeros((0, 4, 3), np.uint8), "an array of 0x4x3", "height"),
        (np.uint8(3) + np.zeros((), np.uint8), "an object of type uint8 is not a picture", "numpy array"),
        (np.broadcast_to(np.uint8(0), (50_000, 1_001, 3)), "at most 50000000 pixels", "scale"),
        (Image.new("F", (4, 4)), "32-bit", "8 bits"),
    ],
)
def test_what_is_no_picture_is_said(
    detector: maskdet.MaskDetector, here: Path, picture: object, what: str, hint: str
) -> None:
    with pytest.raises(maskdet.PictureError, match=what) as caught:
        detector(picture)  # type: ignore[call-overload]
    assert hint in caught.value.hint


def test_options_hold_for_one_call(detector: maskdet.MaskDetector, photo: Path) -> None:
    before = exact(detector(photo))
    assert labels(detector(photo, threshold={"with_mask": 1.0})) == ["without_mask"]
    one = detector(photo, max_detections=1)
    assert len(one) == 1
    assert one.counts == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}
    assert one.verdict == "violation"
    assert len(detector(photo, max_detections=0)) == 0
    assert labels(detector(photo, tile=True, flip=True)).count("with_mask") >= 1
    assert exact(detector(photo)) == before


@pytest.mark.parametrize(
    "options", [{"threshold": 2}, {"threshold": "high"}, {"threshold": {"x": 0.5}}, {"max_detections": -1}]
)
def test_an_option_that_cannot_be_is_refused_at_once(
    detector: maskdet.MaskDetector, photo: Path, options: dict[str, object]
) -> None:
    for pictures in (photo, iter([photo])):
        with pytest.raises(maskdet.UsageError):
            detector(pictures, **options)  # type: ignore[call-overload]


def test_an_open_file_is_one_picture(detector: maskdet.MaskDetector, photo: Path) -> None:
    with photo.open("rb") as file:
        assert exact(detector(file)) == exact(detector(photo))
    with photo.open(encoding="latin-1") as text, pytest.raises(maskdet.PictureError, match="open as text"):
        detector(text)


def test_a_mapping_is_refused(detector: maskdet.MaskDetector, photo: Path) -> None:
    with pytest.raises(maskdet.UsageError, match="mapping"):
        detector({"a": photo})


def test_a_list_gives_a_list_in_order(detector: maskdet.MaskDetector, here: Path) -> None:
    paths = [save(here / f"{n}.png", paint({(n, n): "with_mask"}, 128, 192)) for n in range(8)]
    for several in (paths, tuple(paths)):
        found = detector(several)
        assert isinstance(found, list)
        assert [faces.file for faces in found] == [path.as_posix() for path in paths]
        assert [exact(faces) for faces in found] == [exact(detector(path)) for path in paths]
    assert detector([]) == []


def test_a_generator_gives_a_generator_that_is_lazy_and_bounded(detector: maskdet.MaskDetector) -> None:
    taken: list[int] = []
    picture = paint({(2, 2): "with_mask"}, 64, 64)

    def endless() -> Iterator[np.ndarray]:
        for number in itertools.count():
            taken.append(number)
            yield picture

    found = detector(endless())
    assert not taken
    for _ in range(3):
        assert labels(next(found)) == ["with_mask"]
    assert len(taken) <= 3 + 2 * core_count()
    before = threading.active_count()
    found.close()
    assert threading.active_count() < before


def test_a_bad_picture_of_several_is_named(detector: maskdet.MaskDetector, photo: Path) -> None:
    with pytest.raises(maskdet.PictureError, match=r"^none\.jpg: No such"):
        detector([photo, "none.jpg", photo])
    with pytest.raises(maskdet.PictureError, match=r"^pictures\[2\]: .*not a picture"):
        detector([photo, photo, b"text"])
    found = detector(iter([photo, b"text", photo]))
    assert labels(next(found)) == LABELS
    with pytest.raises(maskdet.PictureError, match=r"^pictures\[1\]: "):
        next(found)


def test_the_rest_goes_on_where_errors_are_returned(detector: maskdet.MaskDetector, photo: Path) -> None:
    several = [photo, b"text", "none.jpg", photo]
    for found in (detector(several, return_errors=True), [*detector(iter(several), return_errors=True)]):
        kinds = [type(one) for one in found]
        assert kinds == [maskdet.Faces, maskdet.PictureError, maskdet.PictureError, maskdet.Faces]
        assert str(found[1]).startswith("pictures[1]: ")


def test_a_fault_that_is_no_pictures_is_raised_all_the_same(
    detector: maskdet.MaskDetector, photo: Path
) -> None:
    def broken() -> Iterator[Path]:
        yield photo
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        list(detector(broken(), return_errors=True))


def test_a_video_gives_its_frames_in_order(detector: maskdet.MaskDetector, here: Path) -> None:
    save_video(here / "gate.avi", [paint({(n, n): "with_mask"}, 128, 192) for n in range(8)])
    for number, faces in enumerate(detector.video("gate.avi")):
        assert (faces.file, faces.frame) == ("gate.avi", number)
        assert faces[0].box == pytest.approx(cell_box(number, number, 128, 192), abs=0.01)
        assert faces.draw().size == (192, 128)
    assert number == 7
    assert "frame 7" in repr(faces)


def test_a_video_that_is_none(detector: maskdet.MaskDetector, photo: Path) -> None:
    for path, what in (("rtsp://camera/1", "URLs"), ("none.mp4", "cannot be opened"), (".", "folder")):
        with pytest.raises(maskdet.PictureError, match=what):
            list(detector.video(path))


@pytest.mark.skipif(not ships_model(), reason="this build ships no default model")
def test_eight_threads_get_the_answers_of_one_to_the_bit() -> None:
    detector = maskdet.load()
    pictures = sorted((SAMPLE / "JPEGImages").iterdir())[:16]
    alone = [exact(detector(picture, threshold=0.05)) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        shared = list(pool.map(lambda picture: exact(detector(picture, threshold=0.05)), pictures * 2))
    assert shared == alone * 2
    assert [exact(faces) for faces in detector(pictures, threshold=0.05)] == alone
