"""Downloads against a real server on loopback, with the faults that networks have."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from training.start.weights_server import CONTENT, Behaviour, serving

from maskdet.errors import EnvironmentProblem
from maskdet.training.start import downloads
from maskdet.training.start.downloads import download

SOON = (0.0, 0.0)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "weights" / "w.pdparams"


def fetch(behaviour: Behaviour, target: Path, **options: object) -> None:
    with serving(behaviour) as address:
        download(f"{address}/models/w.pdparams", target, waits=SOON, **options)


def left_beside(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir() if not path.name.endswith(".lock")}


def test_a_whole_file_arrives_and_progress_is_shown(target: Path) -> None:
    shown: list[tuple[str, int | None, int]] = []

    def track(items: Iterable[int], description: str, total: int | None = None) -> Iterator[int]:
        for item in items:
            shown.append((description, total, item))
            yield item

    fetch(Behaviour(), target, track=track)
    assert target.read_bytes() == CONTENT
    assert left_beside(target) == {"w.pdparams"}
    assert shown[-1] == ("downloading w.pdparams (KiB)", len(CONTENT) >> 10, (len(CONTENT) >> 10) - 1)


def test_a_file_that_is_there_is_not_asked_for(target: Path) -> None:
    behaviour = Behaviour()
    fetch(behaviour, target)
    fetch(behaviour, target)
    assert len(behaviour.requests) == 1


def test_a_cut_is_gone_on_with_from_where_it_was(target: Path) -> None:
    behaviour = Behaviour(cuts=[100_000, 50_000])
    fetch(behaviour, target)
    assert target.read_bytes() == CONTENT
    assert [wanted for _, wanted in behaviour.requests] == ["", "bytes=100000-", "bytes=150000-"]


def test_a_later_command_goes_on_with_what_an_earlier_one_left(target: Path) -> None:
    behaviour = Behaviour(cuts=[100_000])
    with serving(behaviour) as address:
        url = f"{address}/models/w.pdparams"
        with pytest.raises(EnvironmentProblem, match=re.escape(url)):
            download(url, target, waits=())
        assert left_beside(target) == {"w.pdparams.part", "w.pdparams.part.version"}
        download(url, target, waits=())
    assert target.read_bytes() == CONTENT
    assert behaviour.requests[1][1] == "bytes=100000-"


def test_many_cuts_are_survived_as_long_as_each_try_brings_something(target: Path) -> None:
    fetch(Behaviour(cuts=[40_000] * 7), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "change",
    [{"ranges": False}, {"etag": '"two"'}, {"etag": None}],
    ids=["no ranges", "changed", "no version"],
)
def test_a_part_that_cannot_be_gone_on_with_is_fetched_anew(target: Path, change: dict[str, object]) -> None:
    with serving(Behaviour(cuts=[100_000])) as address, pytest.raises(EnvironmentProblem):
        download(f"{address}/w.pdparams", target, waits=())
    fetch(Behaviour(**change), target)
    assert target.read_bytes() == CONTENT


def test_passing_faults_of_the_server_are_tried_again(target: Path) -> None:
    fetch(Behaviour(statuses=[503, 429]), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "words", "requests"),
    [
        (Behaviour(statuses=[404, 404]), "returned 404 Not Found", 1),
        (Behaviour(statuses=[500, 500, 500, 500]), "returned 500", 3),
        (Behaviour(md5="AAAAAAAAAAAAAAAAAAAAAA=="), "has MD5", 3),
        (Behaviour(redirect="ftp://127.0.0.1/w.pdparams"), "ftp", 1),
        (Behaviour(redirect="file:///etc/passwd"), "file", 1),
    ],
    ids=["404", "500", "checksum", "ftp", "file"],
)
def test_what_cannot_be_had_says_what_to_do(
    target: Path, behaviour: Behaviour, words: str, requests: int
) -> None:
    with pytest.raises(EnvironmentProblem, match=words) as caught:
        fetch(behaviour, target)
    assert len(behaviour.requests) == requests
    for word in (str(target), "MASKDET_WEIGHTS_URL", "model.pretrained", "none"):
        assert word in caught.value.hint
    assert not target.exists()


@pytest.mark.parametrize("length", ["many", "-1", "9" * 5000])
def test_a_length_that_is_no_number_is_a_failure(target: Path, length: str) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be downloaded"):
        fetch(Behaviour(length=length), target)


def test_no_network(target: Path) -> None:
    with serving(Behaviour()) as address:
        pass
    with pytest.raises(EnvironmentProblem, match=re.escape(address)) as caught:
        download(f"{address}/w.pdparams", target, waits=SOON)
    assert str(target) in caught.value.hint


def test_a_redirect_to_another_server_is_followed(target: Path) -> None:
    with serving(Behaviour()) as other:
        fetch(Behaviour(redirect=f"{other}/moved/w.pdparams"), target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/w", "file:///etc/passwd", "no address", "https://"])
def test_addresses_of_other_kinds_are_refused(target: Path, url: str) -> None:
    with pytest.raises(EnvironmentProblem):
        download(url, target, waits=())
    assert not target.exists()


def test_a_huge_file_is_refused(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 1 << 10)
    with pytest.raises(EnvironmentProblem, match="larger than"):
        fetch(Behaviour(), target)


def test_two_commands_at_once_fetch_it_once(target: Path) -> None:
    behaviour = Behaviour()
    with serving(behaviour) as address:
        both = [
            threading.Thread(target=download, args=(f"{address}/w.pdparams", target), kwargs={"waits": SOON})
            for _ in range(2)
        ]
        for each in both:
            each.start()
        for each in both:
            each.join()
    assert target.read_bytes() == CONTENT
    assert len(behaviour.requests) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentProblem, match="cannot be written") as caught:
        fetch(Behaviour(), tmp_path / "weights" / "w.pdparams")
    assert "MASKDET_CACHE" in caught.value.hint


def test_a_file_in_the_way_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        fetch(Behaviour(), tmp_path / "weights" / "w.pdparams")
