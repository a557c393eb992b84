"""`maskdet drift` on statistics as servers write them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sightings import LABELS, crowd
from support import write_tiny_bundle

from maskdet.drift.hour import Hour, Key, Start, hour_of
from maskdet.drift.profile import take_profile
from maskdet.drift.store import Store
from maskdet.drift.version import Version
from maskdet.errors import RetrainingDue, UsageError
from maskdet.system.files import sha256_file

_DRAW = np.random.default_rng(1)
PROFILE = take_profile([crowd(_DRAW) for _ in range(200)], LABELS)


@pytest.fixture
def saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes what a server saw an hour ago; returns the folder."""
    monkeypatch.chdir(tmp_path)

    def write(
        count: int, brightness: float = 120, version: str = "0123456789ab", profile: Any = PROFILE
    ) -> Path:
        store, draw = Store(tmp_path / "state"), np.random.default_rng(count)
        store.prepare()
        at = time.time() - 3600
        known = Version.of(version, at, LABELS, profile)
        store.write_version(known)
        hour = Hour(requests=count)
        hour.start(Start(at, "mask", version))
        for number in range(count):
            hour.count(Key("mask", version, f"gate-{number % 2}"), crowd(draw, brightness), known.bins)
        store.write(hour_of(at), hour)
        return tmp_path / "state"

    return write


def test_nothing_to_do(saw: Callable[..., Path], invoke: Any) -> None:
    saw(400)

    said = invoke("drift", "--state", "state").output

    assert "mask 0123456789ab: no rule says that retraining is due\n" in said
    assert "psi.brightness" in said


def test_dark_pictures_make_retraining_due(saw: Callable[..., Path], invoke: Any, maskdet: Any) -> None:
    saw(400, brightness=40)

    with pytest.raises(RetrainingDue, match=r"retraining is due: psi\.brightness\n"):
        invoke("drift", "--state", "state")
    assert maskdet("drift", "--state", "state", "--json").returncode == 12


def test_too_few_is_neither_due_nor_fine(saw: Callable[..., Path], invoke: Any) -> None:
    saw(20, brightness=40)

    said = invoke("drift", "--state", "state").output

    assert "no rule says that retraining is due; too few samples to decide: psi.brightness, " in said


def test_limits_are_those_of_the_pipeline_file(saw: Callable[..., Path], invoke: Any, tmp_path: Path) -> None:
    saw(400, brightness=40)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "pipeline.yml").write_text(
        "name: demo\ndata: {root: faces}\nserve: {monitor: ../state}\ndrift: {psi: 50}\n"
    )

    said = invoke("drift", "-c", "conf/pipeline.yml").output

    assert "no rule says that retraining is due\n" in said


def test_new_labels_make_retraining_due(saw: Callable[..., Path], invoke: Any, tmp_path: Path) -> None:
    saw(400)
    folder = tmp_path / "inbox" / "Annotations"
    folder.mkdir(parents=True)
    for name in ("a.xml", "b.xml", ".aside-c.xml", "d.txt"):
        (folder / name).write_text("")
    flags = ("--state", "state", "--set", "drift.inbox=inbox", "--json", "--set")

    [fine] = json.loads(invoke("drift", *flags, "drift.inbox_pictures=3").output)
    with pytest.raises(RetrainingDue, match="inbox_pictures"):
        invoke("drift", *flags, "drift.inbox_pictures=2")

    assert fine["rules"][-1] | {"why": ""} == {
        "name": "inbox_pictures",
        "value": 2,
        "limit": 3,
        "count": 2,
        "verdict": "ok",
        "why": "",
    }
    assert not fine["due"]


def test_a_version_without_a_profile_cannot_be_judged(saw: Callable[..., Path], invoke: Any) -> None:
    saw(400, profile=None)

    [told] = json.loads(invoke("drift", "--state", "state", "--json").output)

    assert [(rule["name"], rule["verdict"]) for rule in told["rules"]] == [
        ("psi", "too few"),
        ("uncertain", "too few"),
    ]


def test_one_bundle_of_several(saw: Callable[..., Path], invoke: Any, tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny.onnx")
    saw(400, version=sha256_file(bundle)[:12])
    saw(400, brightness=40, version="ffffffffffff")

    [told] = json.loads(invoke("drift", "--state", "state", "--model", "tiny.onnx", "--json").output)

    assert told["version"] == sha256_file(bundle)[:12]
    other = write_tiny_bundle(tmp_path / "other.onnx", labels=LABELS)
    with pytest.raises(UsageError, match="no statistics of version"):
        invoke("drift", "--state", "state", "--model", str(other))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--state", "none"), "no such folder"),
        (("--model", "default"), "no statistics to judge"),
        (("--state", "state", "--since", "1h"), "no statistics of the last 1 hours"),
    ],
)
def test_without_statistics(
    saw: Callable[..., Path], invoke: Any, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    saw(3)
    (tmp_path / "pipeline.yml").write_text("name: demo\ndata: {root: faces}\n")
    with pytest.raises(UsageError, match=said):
        invoke("drift", *arguments)


def test_the_page_says_what_the_table_and_json_say(
    saw: Callable[..., Path], invoke: Any, tmp_path: Path
) -> None:
    saw(400, brightness=40)
    with pytest.raises(RetrainingDue):
        invoke("drift", "--state", "state", "--html", "out/drift.html")
    with pytest.raises(RetrainingDue):
        invoke("drift", "--state", "state", "--json", "--html", "out/again.html")

    text = (tmp_path / "out" / "drift.html").read_text(encoding="utf-8")

    assert "Retraining is due: psi.brightness." in text
    assert "需要重新训练：psi.brightness。" in text
    assert "what is seen differs from val; chance explains 0." in text
    assert (tmp_path / "out" / "again.html").is_file()
