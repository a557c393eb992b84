"""Chunks of pictures and their partial results."""

from __future__ import annotations

from pathlib import Path, PurePath

import numpy as np
import pytest

from maskdet.detector.conclusion import Conclusion
from maskdet.detector.verdict import Verdict
from maskdet.errors import UsageError
from maskdet.prediction.engines import engine_of
from maskdet.prediction.results import Failure, Prediction
from maskdet.prediction.scale.chunks import ChunkStore, chunks_of, fingerprint_of
from maskdet.prediction.scale.parcel import (
    outcome_from_json,
    outcome_to_json,
    source_from_json,
    source_to_json,
)
from maskdet.prediction.sources import Source, find_sources, read_list
from maskdet.types import Detections


def sources_of(count: int) -> list[Source]:
    names = [f"{number}.png" for number in range(count)]
    return [Source(Path(name), "picture", PurePath(name), PurePath(name)) for name in names]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 60, 257, 5000])
def test_every_picture_is_in_one_chunk(count):
    sources = sources_of(count)
    assert [source for chunk in chunks_of(sources) for source in chunk.sources] == sources


def test_outcomes_come_back_bit_by_bit():
    source = sources_of(1)[0]
    random = np.random.default_rng(3)
    found = Detections(
        random.random((5, 4), np.float32) * 1000, random.random(5, np.float32), np.arange(5) % 3
    )
    before = Prediction(source, (480, 640), Conclusion(found, Verdict("pass", {"a": 2})), undrawn="full")
    after = outcome_from_json(outcome_to_json(before), source)
    assert isinstance(after, Prediction)
    for name in ("boxes", "scores", "class_ids"):
        one, other = (getattr(each.concluded.detections, name) for each in (before, after))
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    assert (after.size, after.concluded.verdict, after.undrawn) == (
        (480, 640),
        before.concluded.verdict,
        "full",
    )
    failure = Failure("0.png", "it is empty")
    assert outcome_from_json(outcome_to_json(failure), source) == failure
    assert source_from_json(source_to_json(source)) == source


def test_another_model_option_or_picture_starts_again(tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"1")
    sources = [Source(picture, "picture", PurePath("a.png"), PurePath("a.png"))]
    first = fingerprint_of("model", (None,), sources)
    chunk = chunks_of(sources)[0]
    ChunkStore(tmp_path / "parts", first).add(0, '{"reason": "none\u2028such"}\n')
    assert ChunkStore(tmp_path / "parts", first).has(chunk)
    assert list(ChunkStore(tmp_path / "parts", first).outcomes(chunk)) == [
        Failure(picture.as_posix(), "none\u2028such")
    ]
    picture.write_bytes(b"12")
    others = [fingerprint_of("model", (None,), sources), fingerprint_of("model", (0.5,), sources)]
    assert len({first, *others, fingerprint_of("other", (None,), sources)}) == 4
    assert not ChunkStore(tmp_path / "parts", others[0]).has(chunk)


def test_a_list_names_paths_and_addresses(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    below = tmp_path / "store" / "2026 11"
    below.mkdir(parents=True)
    for name in ("b.png", "a#1.JPG", "notes.txt"):
        (below / name).write_bytes(b"x")
    (tmp_path / "c.png").write_bytes(b"x")
    listing = tmp_path / "list.txt"
    listing.write_text(f"file://{tmp_path / 'store'}\n\n{tmp_path / 'c.png'}\nfile://{below}/b.png\n")
    found = find_sources(read_list(listing), leave_out=tmp_path / "out")
    assert [(source.name, str(source.drawn)) for source in found] == [
        (f"file://{below}/a#1.JPG", "2026 11/a#1.JPG"),
        (f"file://{below}/b.png", "2026 11/b.png"),
        ((tmp_path / "c.png").as_posix(), "c.png"),
    ]


@pytest.mark.parametrize(
    ("text", "said"), [("", "names no picture"), ("ftp://host/a.png\n", r"ftp:// cannot be read")]
)
def test_lists_that_name_nothing_readable_are_refused(tmp_path, text, said):
    listing = tmp_path / "list.txt"
    listing.write_text(text)
    with pytest.raises(UsageError, match=said):
        find_sources(read_list(listing), leave_out=tmp_path)


def test_engines_are_known_by_name(detector, tmp_path):
    with pytest.raises(UsageError, match="no such engine"):
        engine_of("spark", detector, tmp_path)
    with pytest.raises(UsageError, match="--workers needs --engine ray"):
        engine_of("threads", detector, tmp_path, workers=2)
    with pytest.raises(UsageError, match="ray runs on the CPU, not on gpu"):
        engine_of("ray", detector, tmp_path, device="gpu")
