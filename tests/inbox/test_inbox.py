from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from inbox_pictures import encoded, stored
from PIL import Image
from support import LABELS

from maskdet.dataset.checking.check import check
from maskdet.dataset.reading.annotation import read_annotation
from maskdet.dataset.reading.layout import ANNOTATIONS, PICTURES
from maskdet.dataset.settings import DataSettings
from maskdet.errors import PictureError, ServingError
from maskdet.inbox.boxes import Correction
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.limits import InboxLimits
from maskdet.inbox.refusals import BadBoxes, InboxFull

FACES = [Correction("with_mask", (10.4, 20.6, 60, 80)), Correction("without_mask", (100, 90, 150, 140))]


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def test_correction_is_a_voc_pair(inbox: Inbox, tmp_path: Path) -> None:
    data = encoded("JPEG")

    name = inbox.save(data, FACES)

    assert stored(tmp_path) == [f"{ANNOTATIONS}/{name}.xml", f"{PICTURES}/{name}.jpg"]
    assert (tmp_path / PICTURES / f"{name}.jpg").read_bytes() == data
    reading = read_annotation(tmp_path / ANNOTATIONS / f"{name}.xml", "x.xml")
    assert reading.findings == ()
    assert reading.annotation is not None
    assert (reading.annotation.filename, reading.annotation.width) == (f"{name}.jpg", 200)
    assert [(one.label, one.box) for one in reading.annotation.objects] == [
        ("with_mask", (10, 21, 60, 80)),
        ("without_mask", (100, 90, 150, 140)),
    ]


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("JPEG", ".jpg"),
        ("PNG", ".png"),
        ("BMP", ".bmp"),
        ("WEBP", ".webp"),
        ("GIF", ".png"),
        ("TIFF", ".png"),
    ],
)
def test_prepare_reads_what_is_stored(inbox: Inbox, tmp_path: Path, kind: str, ending: str) -> None:
    name = inbox.save(encoded(kind), FACES)

    report = check(DataSettings(root=tmp_path, labels=LABELS))

    assert (tmp_path / PICTURES / f"{name}{ending}").is_file()
    assert [one.picture for one in report.pictures] == [f"{PICTURES}/{name}{ending}"]
    assert not [
        found for found in report.findings if found.code.startswith(("picture", "size", "box", "xml"))
    ]


def test_boxes_belong_to_the_turned_picture(inbox: Inbox, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    name = inbox.save(encoded("JPEG", exif=exif), [Correction("with_mask", (0, 150, 50, 200))])

    annotation = read_annotation(tmp_path / ANNOTATIONS / f"{name}.xml", "x.xml").annotation
    assert annotation is not None
    assert (annotation.width, annotation.height) == (160, 200)
    assert annotation.objects[0].box == (0, 150, 50, 200)


def test_boxes_are_cut_to_the_picture(inbox: Inbox, tmp_path: Path) -> None:
    name = inbox.save(encoded("PNG"), [Correction("with_mask", (-1e300, -5, 1e300, 40))])

    annotation = read_annotation(tmp_path / ANNOTATIONS / f"{name}.xml", "x.xml").annotation
    assert annotation is not None
    assert annotation.objects[0].box == (0, 0, 200, 40)


def test_latest_correction_counts(inbox: Inbox, tmp_path: Path) -> None:
    data = encoded("PNG")

    names = {inbox.save(data, FACES), inbox.save(data, [])}

    assert len(names) == 1
    annotation = read_annotation(tmp_path / ANNOTATIONS / f"{names.pop()}.xml", "x.xml").annotation
    assert annotation is not None
    assert annotation.objects == ()
    assert len(stored(tmp_path)) == 2


@pytest.mark.parametrize(
    "faces",
    [
        [Correction("with_mask", (10, 10, 10.2, 50))],
        [Correction("with_mask", (50, 10, 10, 50))],
        [Correction("with_mask", (300, 300, 400, 400))],
        [Correction("with_mask", (1, 1, 9, 9)), Correction("without_mask", (1.2, 1, 9, 9))],
        [Correction("with_mask", (0, 0, 9, 9))] * 1001,
    ],
)
def test_boxes_that_cannot_be_right_are_refused(
    inbox: Inbox, tmp_path: Path, faces: list[Correction]
) -> None:
    with pytest.raises(BadBoxes):
        inbox.save(encoded("PNG"), faces)

    assert stored(tmp_path) == []


@pytest.mark.parametrize("data", [b"", b"text", encoded("JPEG")[:-200], encoded("PNG")[:300]])
def test_what_does_not_decode_is_not_stored(inbox: Inbox, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PictureError):
        inbox.save(data, [])

    assert stored(tmp_path) == []


def test_full_inbox_takes_corrections_of_what_it_has(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path, InboxLimits(pictures=1))
    first = encoded("PNG", seed=1)
    inbox.save(first, [])

    with pytest.raises(InboxFull, match="1 pictures"):
        inbox.save(encoded("PNG", seed=2), [])

    inbox.save(first, FACES)


def test_corrections_at_once_leave_whole_files(inbox: Inbox, tmp_path: Path) -> None:
    data = encoded("PNG")
    threads = [threading.Thread(target=inbox.save, args=(data, FACES[:count])) for count in (0, 1, 2) * 4]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stored(tmp_path)) == 2
    assert read_annotation(next((tmp_path / ANNOTATIONS).iterdir()), "x.xml").annotation is not None


def test_what_a_killed_server_left_aside_is_swept(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from maskdet.system.files import staged_file\n"
        "with staged_file(Path(sys.argv[1], 'a.jpg')) as aside:\n    aside.touch(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / PICTURES], check=True)
    assert len(stored(tmp_path)) == 1
    Inbox(tmp_path)
    assert stored(tmp_path) == []


def test_unusable_folder_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ServingError, match="cannot be written to") as caught:
        Inbox(tmp_path / "file")

    assert "--inbox" in caught.value.hint
