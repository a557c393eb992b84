from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.errors import UsageError
from maskdet.prediction.sources import Source, find_sources


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def paths(*named: str, out: str = "out") -> list[str]:
    return [source.path.as_posix() for source in find_sources(named, leave_out=Path(out))]


def drawn(*named: str) -> list[str]:
    return [source.drawn.as_posix() for source in find_sources(named, leave_out=Path("out"))]


def test_files_come_in_the_order_named(here: Path) -> None:
    touch("b.jpg", "a.png", "c.MP4")
    found = find_sources(["b.jpg", "c.MP4", "a.png"], leave_out=Path("out"))
    assert [(source.path.name, source.kind) for source in found] == [
        ("b.jpg", "picture"),
        ("c.MP4", "video"),
        ("a.png", "picture"),
    ]


def test_a_named_file_is_taken_whatever_its_ending(here: Path) -> None:
    touch("upload", "photo.heic")
    assert paths("upload", "photo.heic") == ["upload", "photo.heic"]


def test_a_folder_gives_what_is_below_it_sorted(here: Path) -> None:
    touch("photos/b.JPG", "photos/a b.jpeg", "photos/口罩/照片.PNG", "photos/notes.txt", "photos/v.mov")
    touch("photos/.hidden.jpg", "photos/.cache/x.jpg", "photos/x.webp", "photos/y.TIFF", "photos/z.gif")
    assert paths("photos") == [
        f"photos/{name}"
        for name in ("a b.jpeg", "b.JPG", "v.mov", "x.webp", "y.TIFF", "z.gif", "口罩/照片.PNG")
    ]


def test_a_folder_gives_what_is_in_linked_folders(here: Path) -> None:
    touch("real/cam1/b.jpg", "real/cam1/c.jpg", "photos/a.jpg")
    Path("photos/cam1").symlink_to("../real/cam1")
    assert paths("photos") == ["photos/a.jpg", "photos/cam1/b.jpg", "photos/cam1/c.jpg"]


def test_a_folder_gives_pictures_that_cannot_be_decoded(here: Path) -> None:
    """Each is then reported as unreadable; nobody would notice that a phone's pictures are passed over."""
    touch("phone/IMG_1.HEIC", "phone/IMG_2.jpg", "phone/notes.txt")
    assert paths("phone") == ["phone/IMG_1.HEIC", "phone/IMG_2.jpg"]


def test_a_hidden_folder_may_be_named(here: Path) -> None:
    touch(".photos/a.jpg")
    assert paths(".photos") == [".photos/a.jpg"]


def test_results_of_an_earlier_run_are_left_out(here: Path) -> None:
    touch("a.jpg", "out/drawn/a.jpg", "outside/b.jpg")
    assert paths(".") == ["a.jpg", "outside/b.jpg"]
    with pytest.raises(UsageError, match="out/drawn: its pictures and videos are left out") as caught:
        paths("out/drawn")
    assert "--out" in caught.value.hint


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("photos/*.jpg", ["photos/a.jpg", "photos/b.jpg"]),
        ("photos/[a]*", ["photos/a.jpg"]),
        ("*/?.jpg", ["photos/a.jpg", "photos/b.jpg"]),
        ("photos/**/*.jpg", ["photos/a.jpg", "photos/b.jpg", "photos/deep/c.jpg"]),
    ],
)
def test_globs(here: Path, pattern: str, wanted: list[str]) -> None:
    touch("photos/b.jpg", "photos/a.jpg", "photos/deep/c.jpg", "photos/a.txt")
    assert paths(pattern) == wanted


def test_a_name_with_brackets_is_a_file_first(here: Path) -> None:
    touch("a[1].jpg", "a1.jpg", "set[2]/b.jpg")
    assert paths("a[1].jpg") == ["a[1].jpg"]
    assert paths("set[2]") == ["set[2]/b.jpg"]


def test_absolute_globs(here: Path) -> None:
    touch("photos/a.jpg")
    assert paths(f"{here}/pho*/a.*") == [f"{here.as_posix()}/photos/a.jpg"]


def test_a_file_named_twice_is_looked_at_once(here: Path) -> None:
    touch("photos/a.jpg", "photos/b.jpg")
    assert paths("photos/b.jpg", "photos", "./photos/a.jpg", "photos/*") == ["photos/b.jpg", "photos/a.jpg"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("none.jpg", "none.jpg: no such picture or video"),
        ("*.jpg", r"\*.jpg: no such picture or video"),
        ("empty", "empty: there is no picture or video in this folder"),
        ("https://example.org/a.jpg", "https:// cannot be read"),
        ("photos/**.jpg", r"photos/\*\*\.jpg: "),
        ("", "an empty name"),
    ],
)
def test_a_name_that_gives_nothing_is_an_error(here: Path, name: str, what: str) -> None:
    touch("photos/a.jpg", "empty/notes.txt")
    with pytest.raises(UsageError, match=what) as caught:
        paths("photos/a.jpg", name)
    assert caught.value.hint


def test_no_name_at_all(here: Path) -> None:
    with pytest.raises(UsageError, match="was given"):
        paths()


def test_drawn_names_keep_the_folders(here: Path) -> None:
    touch("set/x/a.jpg", "set/y/a.jpg", "b.jpg")
    assert drawn("set", "b.jpg") == ["x/a.jpg", "y/a.jpg", "b.jpg"]
    assert drawn("set/*/a.jpg") == ["x/a.jpg", "y/a.jpg"]


def test_drawn_names_never_collide(here: Path) -> None:
    touch("x/a.jpg", "y/a.jpg", "z/A.JPG", "x/a.gif", "x/a.gif.png", "v.avi", "w/v.mov", "x/a-2.jpg")
    names = drawn("x/a.jpg", "y/a.jpg", "z/A.JPG", "x/a.gif", "x/a.gif.png", "v.avi", "w/v.mov", "x/a-2.jpg")
    assert names == [
        "a.jpg", "a-2.jpg", "A-3.JPG", "a.gif.png", "a.gif-2.png", "v.mp4", "v-2.mp4", "a-2-2.jpg",
    ]  # fmt: skip


def test_a_source_is_a_value(here: Path) -> None:
    touch("a.jpg")
    first, second = (find_sources(["a.jpg"], leave_out=Path("out"))[0] for _ in range(2))
    assert isinstance(first, Source)
    assert first == second
