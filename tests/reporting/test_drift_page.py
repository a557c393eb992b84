"""The page of `maskdet drift`: both languages, each model, and that no name in it becomes markup."""

from __future__ import annotations

import re

import pytest
from html_tags import Tags
from sightings import seen_by_models

from maskdet.drift.decision import decide
from maskdet.drift.reason import ENGLISH, Reason
from maskdet.drift.settings import DriftSettings
from maskdet.drift.view import View
from maskdet.reporting.drift_page import drift_page
from maskdet.reporting.histogram import histogram
from maskdet.reporting.texts import TEXTS

HOSTILE = "<img src=x onerror=alert(1)>"
SETTINGS = DriftSettings(inbox_pictures=1)


@pytest.fixture(scope="module")
def dark() -> list[View]:
    return seen_by_models("mask", HOSTILE, brightness=40)


def page_of(*views: View) -> str:
    return drift_page([decide(view, SETTINGS) for view in views])


def test_one_model(dark: list[View]) -> None:
    text = page_of(dark[0])
    tags = Tags(text)
    sections = [attributes["id"] for tag, attributes in tags.all if tag == "section"]
    assert sections == ["retraining", "drift_features", "cameras", "versions", "days"]
    assert tags.count("figure") == 7
    assert tags.count("table") == 4
    assert tags.count("h3") == 0
    assert "<h1>mask 0123456789ab</h1>" in text
    assert "From 1970-01-01 00:00 to 1970-01-01 03:00, UTC." in text
    assert 'lang="zh-CN">未命名</span>' in text


def test_each_model_is_named_and_stays_text(dark: list[View]) -> None:
    tags = Tags(page_of(*dark))
    assert tags.count("h3") == 5 * 2
    assert tags.count("img") == 0
    assert len({attributes["id"] for _, attributes in tags.all if "id" in attributes}) == 5


def test_nothing_is_loaded_and_only_its_own_script_runs(dark: list[View]) -> None:
    text = page_of(dark[0])
    tags = Tags(text)
    assert not re.findall(r"https?://", text)
    assert not [attributes for _, attributes in tags.all if {"src", "style"} & attributes.keys()]
    [policy] = [attributes["content"] for _, attributes in tags.all if "http-equiv" in attributes]
    assert str(policy).startswith("default-src 'none'")


def test_every_reason_is_said_in_both_languages(dark: list[View]) -> None:
    [due] = [rule for rule in decide(dark[0], SETTINGS).rules if rule.verdict == "due"]
    assert str(due.why) == f"what is seen differs from val; chance explains {due.why.values['chance']}"
    text = page_of(dark[0])
    assert f"随机波动只能解释 {due.why.values['chance']}</span>" in text
    assert "未指定收件夹</span>" in text
    assert {key.removeprefix("reason.") for key in TEXTS if key.startswith("reason.")} == set(ENGLISH)
    assert str(Reason("needs", {"least": "150"})) == "chance could explain the limit; it needs 150"


def test_a_version_without_a_profile_has_nothing_to_compare(dark: list[View]) -> None:
    bare = dark[0].model_copy(update={"features": (), "val": None})
    text = page_of(bare)
    assert Tags(text).count("figure") == 0
    assert "Export it again." in text
    assert "请重新导出</span>" in text


def test_a_feature_of_a_newer_server_keeps_its_name(dark: list[View]) -> None:
    unknown = dark[0].features[0].model_copy(update={"feature": "tilt<b>"})
    text = page_of(dark[0].model_copy(update={"features": (unknown,)}))
    assert "tilt&lt;b&gt; " in text


def test_a_histogram_shows_the_bins_that_are_used_and_their_ends() -> None:
    drawn = histogram([0, 0, 2, 0, 0], [0, 4, 0, 4, 0], (1, 2, 3, 4.5))
    rects = [attributes for tag, attributes in Tags(drawn).all if tag == "rect"]
    assert [each["class"] for each in rects] == ["tone-val", "tone-seen"] * 3
    assert [each["height"] for each in rects] == ["0.0", "66.0", "132.0", "0.0", "0.0", "66.0"]
    assert re.findall(r">([^<>]+)</text>", drawn) == ["1", "4.5"]
    assert re.findall(r">([^<>]+)</text>", histogram([1, 0], [0, 1], (8,))) == ["&lt; 8", "≥ 8"]
    assert re.findall(r">([^<>]+)</text>", histogram([1, 0], [0, 0], ())) == ["1", "2"]
    assert Tags(histogram([0, 0], [0, 0], (8,))).count("rect") == 0
