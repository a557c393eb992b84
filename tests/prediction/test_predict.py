from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from media import save, save_video
from support import LABELS, cell_box, paint

from maskdet.detector.captions import class_colour
from maskdet.detector.detector import Detector
from maskdet.detector.picture import read_picture
from maskdet.detector.threshold_policy import OVERRIDE
from maskdet.errors import BundleError, MaskdetError, UsageError
from maskdet.prediction.predict import predict
from maskdet.prediction.video import read_frames

OUT = Path("results")
RED, GREEN = (class_colour(LABELS, class_id) for class_id in (1, 0))


def document() -> dict:
    return json.loads((OUT / "predictions.json").read_text(encoding="utf-8"))


def has_colour(picture: np.ndarray, colour: tuple[int, ...], slack: int = 40) -> bool:
    return bool((np.abs(picture.astype(int) - colour).max(axis=2) < slack).any())


def test_json_holds_every_picture_with_its_faces(detector: Detector, here: Path) -> None:
    save(here / "a.png", paint({(1, 2): "with_mask", (6, 6): "without_mask"}, 160, 240))
    save(here / "口罩 b.JPG", paint({}, 32, 48))
    summary = predict(detector, ["a.png", "口罩 b.JPG"], formats=["json"], out=OUT)
    assert summary.pictures == 2
    assert summary.faces == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}
    assert summary.failures == ()
    assert summary.seconds > 0
    assert summary.written == (OUT / "predictions.json",)
    written = document()
    assert written["model"] == {
        "name": "tiny",
        "variant": "tiny_grid",
        "labels": list(LABELS),
        "thresholds": dict.fromkeys(LABELS, 0.5),
        "threshold_policy": {"name": "unknown", "parameter": None},
    }
    assert written["failures"] == []
    first, second = written["pictures"]
    nobody = {"outcome": "ok", "counts": dict.fromkeys(LABELS, 0)}
    assert second == {"file": "口罩 b.JPG", "width": 48, "height": 32, "detections": [], "verdict": nobody}
    assert (first["file"], first["width"], first["height"]) == ("a.png", 240, 160)
    assert [face["label"] for face in first["detections"]] == ["with_mask", "without_mask"]
    assert first["detections"][0]["box"] == list(cell_box(1, 2, 160, 240))
    assert first["detections"][0]["score"] == 1.0


def test_results_come_in_the_order_of_the_sources(detector: Detector, here: Path) -> None:
    names = [f"photos/{n:03}.png" for n in range(40)]
    for n, name in enumerate(names):
        save(here / name, paint({(n % 8, n // 8): LABELS[n % 3]}, 64 + 8 * (n % 5), 64))
    predict(detector, ["photos"], formats=["json"], out=OUT)
    pictures = document()["pictures"]
    assert [picture["file"] for picture in pictures] == names
    for n, picture in enumerate(pictures):
        assert [face["label"] for face in picture["detections"]] == [LABELS[n % 3]]
        box = cell_box(n % 8, n // 8, picture["height"], 64)
        assert picture["detections"][0]["box"] == [round(edge, 2) for edge in box]


@pytest.mark.parametrize("out", [".", "photos", "photos/day1"])
def test_results_may_go_beside_the_pictures(detector: Detector, here: Path, out: str) -> None:
    names = ["photos/a.png", "photos/day1/b.png"]
    for name in names:
        save(here / name, paint({}, 64, 64))
    for _ in range(2):
        predict(detector, ["photos"], formats=["json", "draw"], out=Path(out))
        written = json.loads((Path(out) / "predictions.json").read_text(encoding="utf-8"))
        assert [picture["file"] for picture in written["pictures"]] == names


def test_two_runs_write_the_same_bytes(detector: Detector, here: Path) -> None:
    for n in range(12):
        save(here / f"photos/{n}.jpg", paint({(n % 8, 3): LABELS[n % 3]}, 120, 90))
    written = []
    for out in ("one", "two"):
        predict(detector, ["photos"], formats=["json", "csv", "draw"], out=here / out)
        files = sorted(path for path in (here / out).rglob("*") if path.is_file())
        written.append([(path.relative_to(here / out), path.read_bytes()) for path in files])
    assert len(written[0]) == 14
    assert written[0] == written[1]


def test_csv_has_a_row_a_face(detector: Detector, here: Path) -> None:
    save(here / "a, b.png", paint({(0, 0): "with_mask", (7, 7): "without_mask"}, 64, 64))
    save(here / "none.png", paint({}, 64, 64))
    save_video(here / "v.avi", [paint({(2, 2): "with_mask"}, 64, 64)] * 2)
    predict(detector, ["a, b.png", "none.png", "v.avi"], formats=["csv"], out=OUT)
    data = (OUT / "predictions.csv").read_bytes()
    assert b"\r" not in data
    rows = list(csv.DictReader(data.decode().splitlines()))
    assert [(row["file"], row["frame"], row["label"]) for row in rows] == [
        ("a, b.png", "", "with_mask"),
        ("a, b.png", "", "without_mask"),
        ("v.avi", "0", "with_mask"),
        ("v.avi", "1", "with_mask"),
    ]
    assert [float(rows[1][key]) for key in ("x1", "y1", "x2", "y2")] == [56, 56, 64, 64]
    assert rows[0]["width"] == "64"


def test_drawn_pictures_keep_folders_and_formats(detector: Detector, here: Path) -> None:
    for name in ("set/x/a.jpg", "set/y/a.PNG", "set/b.webp", "set/c.tiff", "set/口罩.bmp"):
        save(here / name, paint({(3, 3): "without_mask"}, 256, 256))
    summary = predict(detector, ["set"], formats=["draw"], out=OUT)
    assert summary.written == (OUT / "drawn",)
    drawn = sorted(path.relative_to(OUT / "drawn").as_posix() for path in OUT.rglob("*") if path.is_file())
    assert drawn == ["b.webp", "c.tiff.png", "x/a.jpg", "y/a.PNG", "口罩.bmp"]
    for name in drawn:
        picture = read_picture(OUT / "drawn" / name)
        assert picture.shape == (256, 256, 3)
        assert has_colour(picture, RED)
        assert not has_colour(picture, GREEN)


def test_a_video_is_looked_at_frame_by_frame_and_drawn(detector: Detector, here: Path) -> None:
    frames = [paint({(n, n): "with_mask"}, 128, 192) for n in range(8)]
    save_video(here / "clip.avi", frames, rate=5)
    save(here / "a.png")
    summary = predict(detector, ["clip.avi", "a.png"], formats=["json", "draw"], out=OUT)
    assert summary.pictures == 9
    pictures = document()["pictures"]
    assert [picture.get("frame") for picture in pictures] == [*range(8), None]
    for n, picture in enumerate(pictures[:8]):
        assert picture["file"] == "clip.avi"
        assert np.allclose(picture["detections"][0]["box"], cell_box(n, n, 128, 192), atol=0.01)
    drawn = list(read_frames(OUT / "drawn" / "clip.mp4"))
    assert len(drawn) == 8
    assert drawn[0].shape == (128, 192, 3)
    assert all(has_colour(frame, GREEN, slack=60) for frame in drawn)
    assert (OUT / "drawn" / "a.png").exists()


CROWD = {(row, column): LABELS[(row + column) % 3] for row in range(8) for column in range(8)}


def test_a_small_crowded_picture_is_enlarged_and_has_a_legend_below(detector: Detector, here: Path) -> None:
    save(here / "crowd.png", paint(CROWD, 160, 240))
    predict(detector, ["crowd.png"], formats=["json", "draw"], out=OUT)
    drawn = read_picture(OUT / "drawn" / "crowd.png")
    assert drawn.shape[1] == 960
    assert drawn.shape[0] > 660
    assert document()["pictures"][0]["width"] == 240


def test_frames_of_a_video_are_as_large_as_it_is_however_crowded(detector: Detector, here: Path) -> None:
    save_video(here / "clip.avi", [paint(faces, 128, 192) for faces in ({(1, 1): "with_mask"}, CROWD)])
    predict(detector, ["clip.avi"], formats=["draw"], out=OUT)
    assert [frame.shape for frame in read_frames(OUT / "drawn" / "clip.mp4")] == [(128, 192, 3)] * 2


def test_two_videos_do_not_mix(detector: Detector, here: Path) -> None:
    save_video(here / "x" / "v.avi", [paint({(0, 0): "with_mask"}, 64, 64)] * 3)
    save_video(here / "y" / "v.avi", [paint({(0, 0): "without_mask"}, 128, 96)] * 5)
    predict(detector, ["x", "y"], formats=["draw"], out=OUT)
    first, second = (list(read_frames(OUT / "drawn" / name)) for name in ("v.mp4", "v-2.mp4"))
    assert (len(first), first[0].shape) == (3, (64, 64, 3))
    assert (len(second), second[0].shape) == (5, (128, 96, 3))


def test_what_cannot_be_read_is_reported_and_the_rest_goes_on(detector: Detector, here: Path) -> None:
    save(here / "photos/a.png")
    (here / "photos/b.jpg").write_bytes(b"not a picture")
    (here / "photos/c.mp4").write_bytes(b"not a video")
    save(here / "photos/d.png")
    cut = save(here / "photos/e.jpg")
    cut.write_bytes(cut.read_bytes()[:-20])
    summary = predict(detector, ["photos"], formats=["json", "draw"], out=OUT)
    assert summary.pictures == 2
    assert [failure.file for failure in summary.failures] == ["photos/b.jpg", "photos/c.mp4", "photos/e.jpg"]
    assert [failure.reason.startswith("photos") for failure in summary.failures] == [False] * 3
    assert "cut off" in summary.failures[2].reason
    written = document()
    assert [picture["file"] for picture in written["pictures"]] == ["photos/a.png", "photos/d.png"]
    assert [failure["file"] for failure in written["failures"]] == [f.file for f in summary.failures]
    assert not (OUT / "drawn" / "b.jpg").exists()


def test_a_picture_that_cannot_be_drawn_is_reported_and_the_rest_goes_on(
    detector: Detector, here: Path
) -> None:
    save(here / "photos/a.jpg")
    # Wider than a JPEG can be: only its name ends like one.
    wide = save(here / "photos/wide.png", paint({(3, 3): "with_mask"}, 64, 70_000))
    wide.rename(here / "photos/b.jpg")
    long = f"photos/{'c' * 250}.tiff"
    save(here / "photos/c.tiff").rename(here / long)
    save(here / "photos/d.png")
    save(here / "photos/sub/e.png").rename(here / "photos/sub/e.tiff")
    save(here / "photos/sub/e.tiff.png/f.png")
    summary = predict(detector, ["photos"], formats=["json", "draw"], out=OUT)
    assert summary.pictures == 6
    assert [failure.file for failure in summary.failures][:2] == ["photos/b.jpg", long]
    assert "a picture of 70000x" in summary.failures[0].reason
    assert "too long" in summary.failures[1].reason
    # Which of the two takes the name first is a matter of time; the other one is told.
    assert [failure.file.startswith("photos/sub/e.tiff") for failure in summary.failures[2:]] == [True]
    written = document()
    assert len(written["pictures"]) == 6
    assert [face["label"] for face in written["pictures"][1]["detections"]] == ["with_mask"]
    assert [failure["file"] for failure in written["failures"]] == [f.file for f in summary.failures]
    drawn = [path.name for path in (OUT / "drawn").rglob("*") if path.is_file()]
    assert len(drawn) == 3
    assert {"a.jpg", "d.png"} < set(drawn)


def test_names_in_another_encoding_are_told_as_they_are(detector: Detector, here: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    try:
        save(here / "photos/a.png").rename(here / f"photos/{odd}.png")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    save_video(here / "photos/v.avi", [paint({}, 64, 64)]).rename(here / f"photos/{odd}.avi")
    save(here / "photos/z.png")
    summary = predict(detector, ["photos"], formats=["json", "csv", "draw"], out=OUT)
    assert [failure.file for failure in summary.failures] == [f"photos/{odd}.avi"]
    assert [picture["file"] for picture in document()["pictures"]] == [f"photos/{odd}.png", "photos/z.png"]
    assert (OUT / "drawn" / f"{odd}.png").is_file()


def test_a_video_that_cannot_be_drawn_is_reported_once(detector: Detector, here: Path) -> None:
    save_video(here / "photos/a.avi", [paint({(1, 1): "with_mask"}, 64, 64)] * 3)
    save_video(here / "photos/b.avi", [paint({(1, 1): "with_mask"}, 64, 64)] * 2)
    (OUT / "drawn" / "a.mp4").mkdir(parents=True)
    (OUT / "drawn" / "a.mp4" / "kept").touch()
    summary = predict(detector, ["photos"], formats=["json", "draw"], out=OUT)
    assert [failure.file for failure in summary.failures] == ["photos/a.avi"]
    assert summary.pictures == len(document()["pictures"]) == 5
    assert len(list(read_frames(OUT / "drawn" / "b.mp4"))) == 2
    assert sorted(path.name for path in (OUT / "drawn").iterdir()) == ["a.mp4", "b.mp4"]


def test_a_full_disk_ends_the_run(detector: Detector, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    save(here / "a.png")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MaskdetError, match="No space left") as caught:
        predict(detector, ["a.png"], formats=["draw", "json"], out=OUT)
    assert "free some space" in caught.value.hint
    assert caught.value.exit_code == 1
    assert not [path for path in OUT.rglob("*") if path.is_file()]


def test_the_threshold_can_be_overridden(detector: Detector, here: Path) -> None:
    save(here / "dim.png", paint({(1, 1): "with_mask"}) // 2)
    counts = [
        predict(detector, ["dim.png"], formats=["csv"], out=OUT, threshold=threshold).faces["with_mask"]
        for threshold in (None, 0.3, 0.9)
    ]
    assert counts == [0, 1, 0]


def test_an_overridden_threshold_is_said_as_such(detector: Detector, here: Path) -> None:
    save(here / "a.png")
    summary = predict(detector, ["a.png"], formats=["json"], out=OUT, threshold=0.3)
    assert summary.threshold_policy == OVERRIDE
    model = document()["model"]
    assert model["threshold_policy"] == {"name": "override", "parameter": None}
    assert model["thresholds"] == dict.fromkeys(LABELS, 0.3)


def test_progress_counts_pictures_and_frames(detector: Detector, here: Path) -> None:
    save(here / "a.png")
    save_video(here / "v.avi", [paint({}, 64, 64)] * 4)
    seen: list[tuple[str, int | None, int]] = []

    def track(items: Iterable[object], description: str, total: int | None = None) -> Iterator[object]:
        items = list(items)
        seen.append((description, total, len(items)))
        yield from items

    predict(detector, ["a.png", "v.avi"], formats=["json"], out=OUT, track=track)
    assert seen == [("predict", 5, 5)]


def test_a_later_run_does_not_take_drawn_pictures_for_sources(detector: Detector, here: Path) -> None:
    save(here / "a.png")
    for _ in range(2):
        assert predict(detector, ["."], formats=["draw", "json"], out=OUT).pictures == 1


def test_a_failing_model_leaves_nothing_behind(here: Path, detector: Detector) -> None:
    class Failing(Detector):
        def __init__(self) -> None:
            self._meta, self._thresholds = detector.meta, detector.thresholds

        def detect(
            self, picture: np.ndarray, size: tuple[int, int] | None = None, *, from_score: float = 0
        ) -> None:
            raise BundleError("the model failed")

    save(here / "a.png")
    with pytest.raises(BundleError):
        predict(Failing(), ["a.png"], formats=["json", "csv", "draw"], out=OUT)
    assert not [path for path in OUT.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"formats": ["xml"]}, "unknown format xml"),
        ({"formats": []}, r"unknown format \(none\)"),
        ({"threshold": 1.5}, "1.5 is not between 0 and 1"),
        ({"threshold": float("nan")}, "nan is not between 0 and 1"),
        ({"sources": ["nothing"]}, "nothing: no such picture or video"),
        ({"out": Path("a.png")}, "a.png"),
    ],
)
def test_wrong_use_is_said_before_any_work(
    detector: Detector, here: Path, wrong: dict[str, object], what: str
) -> None:
    save(here / "a.png")
    arguments: dict[str, object] = {"sources": ["a.png"], "formats": ["json"], "out": OUT} | wrong
    sources = arguments.pop("sources")
    with pytest.raises(UsageError, match=what) as caught:
        predict(detector, sources, **arguments)
    assert caught.value.hint
    assert not OUT.exists()
