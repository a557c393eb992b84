"""The Markdown that a CI job leaves: what comes first, how names are quoted, and how long it may be."""

from __future__ import annotations

from typing import Any

import pytest

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.reporting.ci_report import MAX_BYTES, CiReport, bounded, failure_report, marker
from maskdet.reporting.delivery import DataChange, Delivery, Fate

HOSTILE = "a`b|<img src=x>\n@everyone](http://x).jpg"


def rule(name: str, **told: Any) -> dict[str, Any]:
    plain = {
        "rule": name,
        "verdict": "pass",
        "value": 0.031,
        "interval": [0.01, 0.05],
        "limit": -0.03,
        "unit": "points",
        "count": 120,
        "of": "faces",
        "challenger": 0.9,
        "champion": 0.869,
        "why": "",
    }
    return {"name": name, **plain, **told}


def gates(*rules: dict[str, Any]) -> dict[str, Any]:
    mistakes = {"challenger": {"mistakes": 3}, "champion": {"mistakes": 1}}
    deciding = {"picture": HOSTILE, "gain": -2, "ap50_effect": -0.012, **mistakes}
    return {
        "pictures": 60,
        "faces": 120,
        "left_out": [],
        "rules": list(rules),
        "deciding": {"regressions": [deciding], "gains": []},
    }


def delivery(fate: Fate = Fate.PROMOTED, **told: Any) -> Delivery:
    return Delivery(fate, "face-mask", 4, 3, "b" * 64, "f" * 64, **told)


def report(told: Delivery, *rules: dict[str, Any]) -> str:
    change = DataChange({"train": (HOSTILE, *map(str, range(20))), "val": ()}, {"train": 2, "val": 0})
    command = "maskdet run -c pipeline.yml --ci"
    return CiReport("face-mask", told, gates(*rules), change, command, "abc123").markdown()


def test_the_decision_comes_first_then_the_difference_with_interval_and_count() -> None:
    text = report(delivery(), rule("not_worse.ap50"))
    assert text.startswith(
        f"{marker('face-mask')}\n\n## ✅ face-mask: version 4 is the champion, after version 3"
    )
    assert (
        "| `not_worse.ap50` | 86.9% | 90.0% | +3.1 points | +1.0 points to +5.0 points | 120 faces |" in text
    )
    order = ["| champion |", "### Gates: 1 of 1 passed", "### Data", "### Worst regressions", "### Reproduce"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "git checkout abc123\nmaskdet run -c pipeline.yml --ci" in text
    assert "| train | +21 | -2 |" in text
    assert "and 11 more." in text


def test_a_refusal_names_its_gates_and_the_champion_that_stays() -> None:
    told = delivery(Fate.REFUSED, reasons=("not_worse.ap50: -4.0 points is 1.0 points below the limit",))
    text = report(told, rule("not_worse.ap50", verdict="fail", why="too low"), rule("counts"))
    assert "## ❌ face-mask: version 4 is refused by the gates; version 3 stays champion" in text
    assert "- not\\_worse.ap50: -4.0 points" in text
    assert "### Gates: 1 of 2 passed" in text
    assert "❌ fail" in text


def test_names_are_one_line_of_code_and_sentences_are_plain() -> None:
    text = report(delivery(Fate.REFUSED, reasons=(HOSTILE,)), rule(HOSTILE, why=HOSTILE))
    assert "`a'b\\|<img src=x> @everyone](http://x).jpg`" in text
    assert "\n@" not in text
    for line in text.splitlines():
        outside = "".join(line.split("`")[::2]).replace("<!--", "")
        assert "<img" not in outside.replace("\\<img", "")
        assert "@everyone" not in outside
        assert "](" not in outside.replace("\\](", "")


def test_a_long_report_is_cut_between_its_parts_and_says_so() -> None:
    text = report(delivery(), *(rule(f"gate {number}", why="x" * 400) for number in range(400)))
    assert len(text.encode()) < MAX_BYTES < 65_536
    assert "## ✅ face-mask" in text
    assert text.endswith("Cut here: the whole report is `report.html` among the artefacts.\n")
    assert bounded(["short", "parts"]) == "short\n\nparts\n"


def test_a_failure_is_quoted_and_short() -> None:
    text = failure_report("face-mask", "training failed\n```\n" + "x" * 100_000)
    assert text.startswith(marker("face-mask"))
    assert "    training failed" in text
    assert len(text) < 2000


def test_what_changed_is_told_by_content_and_part() -> None:
    def picture(name: str, part: Any, content: str) -> ManifestPicture:
        return ManifestPicture(name, "", part, 8, 8, content, ())

    manifest = Manifest(
        ("with_mask",),
        (picture("renamed", "train", "1"), picture("new", "train", "2"), picture("v", "val", "3")),
    )
    change = DataChange.between([("train", "1"), ("val", "3"), ("train", "gone")], manifest)
    assert change.added == {"train": ("new",), "val": ()}
    assert change.removed == {"train": 1, "val": 0}


@pytest.mark.parametrize("fate", list(Fate))
def test_a_delivery_survives_its_file(fate: Fate) -> None:
    told = delivery(fate, reasons=("one",))
    assert Delivery.from_json(told.to_json()) == told
    assert "version 4" in told.headline()


@pytest.mark.parametrize("told", [{}, {"fate": "odd"}, {**delivery().to_json(), "fate": "odd"}])
def test_a_damaged_delivery_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        Delivery.from_json(told)
