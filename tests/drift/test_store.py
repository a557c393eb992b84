from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sightings import LABELS, picture

from maskdet.drift.features import Bins
from maskdet.drift.history import History
from maskdet.drift.hour import MOST_CAMERAS, MOST_VERSIONS, Hour, Key, Start, hour_name, hour_number
from maskdet.drift.store import MERGED, MOST_VERSIONS_KEPT, Store
from maskdet.drift.version import Version
from maskdet.errors import ServingError

NOW = 491_000
VERSION = "0123456789ab"
BINS = Bins(LABELS)


def hour(pictures: int, camera: str = "", version: str = VERSION) -> Hour:
    made = Hour(requests=pictures)
    for _ in range(pictures):
        made.count(Key("mask", version, camera), picture(), BINS)
    return made


def store_in(folder: Path) -> Store:
    made = Store(folder)
    made.prepare()
    made.write_version(Version.of(VERSION, NOW * 3600.0, LABELS, None))
    return made


def pictures(store: Store, hours: range = range(NOW + 1), **options: object) -> int:
    found = store.read(hours, store.versions(), **options)  # type: ignore[arg-type]
    return sum(tally.pictures for one in found.values() for tally in one.tallies.values())


def test_processes_add_up(tmp_path: Path) -> None:
    one, other = store_in(tmp_path), store_in(tmp_path)
    one.write(NOW, hour(3, "gate"))
    other.write(NOW, hour(4, "hall"))
    other.write(NOW - 1, hour(5))
    one.write(NOW, hour(6, "gate"))

    found = one.read(range(NOW, NOW + 1), one.versions())[NOW]

    assert {key.camera: tally.pictures for key, tally in found.tallies.items()} == {"gate": 6, "hall": 4}
    assert (found.requests, pictures(one), pictures(one, without={NOW})) == (10, 15, 9)


def test_a_version_that_is_registered_later_gets_its_name_and_keeps_it(tmp_path: Path) -> None:
    store_in(tmp_path).write_version(Version.of(VERSION, NOW * 3600.0 + 5, LABELS, None).named("gate@3"))
    # Another process serves the same bundle from a file.
    store_in(tmp_path)

    found = Store(tmp_path).version(VERSION)

    assert found is not None
    assert (found.registered, found.since) == ("gate@3", NOW * 3600.0)


def test_a_version_that_was_written_without_a_name_can_be_read(tmp_path: Path) -> None:
    raw = Version.of(VERSION, 1.0, LABELS, None).to_json()
    del raw["registered"]
    assert Version.read(raw).registered == ""
    with pytest.raises(ValueError, match="not a version of a registry"):
        Version.read({**raw, "registered": "<b>@3"})


def test_hours_that_are_over_are_merged_and_old_ones_removed(tmp_path: Path) -> None:
    one, other = store_in(tmp_path), store_in(tmp_path)
    for number in (NOW, NOW - 2, NOW - 3, NOW - 48, NOW - 49):
        one.write(number, hour(1))
        other.write(number, hour(2))

    one.tidy(NOW, 48)
    one.tidy(NOW, 48)

    left = {path.parent.name: path.name for path in sorted(tmp_path.glob("hours/*/*.json"))}
    assert hour_name(NOW - 49) not in left
    assert left[hour_name(NOW - 3)] == left[hour_name(NOW - 48)] == MERGED
    assert len(list((tmp_path / "hours" / hour_name(NOW - 2)).glob("*.json"))) == 2
    assert pictures(one) == pictures(store_in(tmp_path)) == 12


def test_clock_that_is_far_ahead_removes_nothing_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, day = store_in(tmp_path), 24
    for number in (NOW - 2 * day, NOW, NOW + 400 * day):
        one.write(number, hour(1))

    for _ in range(2):
        one.tidy(NOW + 400 * day, 30 * day)
    assert pictures(one, range(NOW + 401 * day)) == 3
    assert [record.getMessage() for record in caplog.records] == [
        "the clock may be ahead: nothing is removed yet"
    ]

    later = time.monotonic() + 86_401
    monkeypatch.setattr(one._doubt, "_monotonic", lambda: later)
    one.tidy(NOW + 400 * day, 30 * day)
    assert pictures(one, range(NOW + 401 * day)) == 1


def test_a_kill_while_merging_counts_nothing_twice(tmp_path: Path) -> None:
    one = store_in(tmp_path)
    one.write(NOW - 5, hour(3))
    part = tmp_path / "hours" / hour_name(NOW - 5) / f"{one.writer}.json"
    data = part.read_bytes()
    one.tidy(NOW, 48)
    part.write_bytes(data)  # as if it had not been removed any more

    assert pictures(one) == 3
    one.tidy(NOW, 48)
    assert (pictures(one), part.exists()) == (3, False)


def unreadable(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """As on a network share that is away for a moment."""
    read = Path.read_text

    def fail(self: Path, *args: Any, **options: Any) -> str:
        if self == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(self, *args, **options)

    monkeypatch.setattr(Path, "read_text", fail)


def test_only_what_was_added_up_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = store_in(tmp_path), store_in(tmp_path)
    one.write(NOW - 5, hour(3))
    other.write(NOW - 5, hour(4))
    folder = tmp_path / "hours" / hour_name(NOW - 5)
    with monkeypatch.context() as patch:
        unreadable(patch, folder / f"{one.writer}.json")
        other.tidy(NOW, 48)
        assert {path.name for path in folder.iterdir()} == {MERGED, f"{one.writer}.json"}
    assert pictures(other) == 7
    with monkeypatch.context() as patch:
        unreadable(patch, folder / MERGED)
        other.tidy(NOW, 48)
    assert pictures(other) == 7
    other.tidy(NOW, 48)
    assert ([path.name for path in folder.iterdir()], pictures(other)) == ([MERGED], 7)


def test_what_cannot_be_counted_now_is_kept(tmp_path: Path) -> None:
    """The file of a version is lost for a while: its counts are not merged away meanwhile."""
    one, other = store_in(tmp_path), store_in(tmp_path)
    lost = Version.of("ba9876543210", NOW * 3600.0, LABELS, None)
    one.write_version(lost)
    one.write(NOW - 5, hour(3, version=lost.version))
    other.write(NOW - 5, hour(4))
    path = tmp_path / "versions" / f"{lost.version}.json"
    text = path.read_text()
    path.write_text("")
    other.tidy(NOW, 48)
    assert pictures(other) == 4
    path.write_text(text)
    assert pictures(other) == 7
    other.tidy(NOW, 48)
    folder = tmp_path / "hours" / hour_name(NOW - 5)
    assert ([name.name for name in folder.iterdir()], pictures(other)) == ([MERGED], 7)


def test_damaged_files_count_nothing_and_stop_nothing(tmp_path: Path) -> None:
    one, other = store_in(tmp_path), store_in(tmp_path)
    one.write(NOW, hour(3))
    folder = tmp_path / "hours" / hour_name(NOW)
    for number, text in enumerate(
        ("", "{", "[]", '{"tallies": 1, "requests": 1, "faults": 1, "starts": []}', "7")
    ):
        (folder / f"{number}.json").write_text(text)
    (folder / MERGED).write_text('{"parts": 3}')
    (tmp_path / "versions" / "x.json").write_text('{"version": "../../x"}')
    (tmp_path / "hours" / "nonsense").mkdir()

    assert (pictures(other), set(other.versions())) == (3, {VERSION})


def test_a_tally_in_other_bins_is_left_out(tmp_path: Path) -> None:
    one = store_in(tmp_path)
    one.write(NOW, hour(3))
    path = tmp_path / "versions" / f"{VERSION}.json"
    raw = json.loads(path.read_text())
    raw["edges"]["brightness"] = [10.0, 20.0]
    path.write_text(json.dumps(raw))

    assert pictures(one) == 0


def test_what_clients_choose_does_not_grow_without_end() -> None:
    made = Hour()
    for number in range(MOST_CAMERAS + 50):
        made.count(Key("mask", VERSION, f"camera-{number}"), picture(), BINS)
    for number in range(MOST_VERSIONS + 5):
        made.count(Key("mask", f"{number:012x}", ""), picture(), BINS)
    for number in range(500):
        made.start(Start(number, "mask", VERSION))

    assert len({key.camera for key in made.tallies}) == MOST_CAMERAS + 1
    assert sum(t.pictures for key, t in made.tallies.items() if key.version == VERSION) == MOST_CAMERAS + 50
    assert len({key.version for key in made.tallies}) == MOST_VERSIONS
    assert len(made.starts) == 100


def test_old_versions_are_forgotten_in_the_end(tmp_path: Path) -> None:
    one = Store(tmp_path)
    one.prepare()
    for number in range(MOST_VERSIONS_KEPT + 5):
        one.write_version(Version.of(f"{number:012x}", float(number), LABELS, None))

    one.tidy(NOW, 48)

    assert min(one.versions()) == f"{5:012x}"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ServingError, match="cannot be written"):
        Store(tmp_path / "file").prepare()


def test_names_of_hours() -> None:
    assert hour_name(NOW) == "20260105T08"
    assert hour_number(hour_name(NOW)) == NOW
    assert [hour_number(name) for name in ("2026", "20260105T8", "merged.json", "20261305T08")] == [None] * 4


def test_swaps_are_changes_of_the_answering_version() -> None:
    starts = [(1, "a", "A"), (1.5, "a", "A"), (2, "b", "X"), (3, "a", "B"), (3.1, "a", "B"), (9, "a", "A")]
    first, second = Hour(), Hour()
    for at, model, version in starts[::2]:
        first.start(Start(at, model, version))
    for at, model, version in starts[1::2]:
        second.start(Start(at, model, version))

    found = History(range(2), 0, {}, {0: first, 1: second}).swaps()

    assert found == [(3, "a", "A", "B"), (9, "a", "B", "A")]


def test_a_swap_is_known_though_the_old_version_started_long_ago() -> None:
    versions = {name: Version.of(name, 0, LABELS, None) for name in (VERSION, "f" * 12)}
    swapped = hour(1)
    swapped.start(Start(NOW * 3600.0 + 7, "mask", "f" * 12))

    found = History(range(NOW - 1, NOW + 1), 0, versions, {NOW - 1: hour(2), NOW: swapped}).swaps()

    assert found == [(NOW * 3600.0 + 7, "mask", VERSION, "f" * 12)]


def test_after_a_rollback_the_older_version_is_the_latest() -> None:
    versions = {name: Version.of(name, at, LABELS, None) for name, at in ((VERSION, 1.0), ("f" * 12, 2.0))}
    seen = hour(1, version="f" * 12)
    seen.merge(hour(1))
    for at, version in ((NOW * 3600.0 + 1, "f" * 12), (NOW * 3600.0 + 2, VERSION)):
        seen.start(Start(at, "mask", version))

    assert History(range(NOW, NOW + 1), 0, versions, {NOW: seen}).used()[-1] == ("mask", VERSION)


WRITES = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_store import NOW, hour, store_in
store = store_in(Path(sys.argv[1]))
for count in range(1, 10_000):
    store.write(NOW, hour(1 + count // 50))
    print(1 + count // 50, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 needs POSIX")
def test_a_killed_writer_leaves_what_it_had_written(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, tmp_path, *(Path(__file__).parents[:2])],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(80)]
    process.send_signal(signal.SIGKILL)
    said += process.communicate()[0].splitlines()

    found = pictures(store_in(tmp_path))

    assert int(said[-1]) <= found <= int(said[-1]) + 1
