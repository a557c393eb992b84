"""A run's page: what is on it, from where, and that no name in it becomes markup."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from string import Formatter

import pytest
from drawn_run import HOSTILE, context_of, draw_run
from html_tags import Tags

from maskdet.artefacts import METRICS, PAGE
from maskdet.errors import StageError
from maskdet.pipeline.run_files import write_run_page
from maskdet.pipeline.running.stage import Context
from maskdet.reporting.jpeg import Album
from maskdet.reporting.markup import element, joined
from maskdet.reporting.texts import TEXTS

SECTIONS = (
    "summary",
    "data",
    "training",
    "accuracy",
    "thresholds",
    "promise",
    "reliability",
    "safety",
    "slices",
    "mistakes",
    "parity",
    "lineage",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return draw_run(tmp_path_factory.mktemp("page"))


@pytest.fixture
def own(run: Context, tmp_path: Path) -> Context:
    """A copy of the run that a test may change."""
    shutil.copytree(run.folder.parents[1], tmp_path, dirs_exist_ok=True)
    return context_of(tmp_path)


@pytest.fixture(scope="module")
def page(run: Context) -> str:
    return write_run_page(run).read_text(encoding="utf-8")


def test_every_part_of_a_run_is_on_the_page(page: str) -> None:
    ids = [attributes["id"] for tag, attributes in Tags(page).all if tag == "section"]
    assert tuple(ids) == SECTIONS
    links = [attributes["href"] for tag, attributes in Tags(page).all if tag == "a"]
    assert links == [f"#{key}" for key in SECTIONS]


def test_the_figures_are_those_of_the_evaluation(run: Context, page: str) -> None:
    judged = json.loads(run.path("eval", METRICS).read_text())
    assert f"{judged['ap50']:.1%}" in page
    passed = judged["safety"]["bare_passed"]
    assert f"{passed['count']} / {passed['of']}" in page
    assert "Best: AP50 75.0% at epoch 2 of 2." in page
    assert "第 2 轮（共 2 轮），AP50 75.0%" in page
    assert "the figure of eval" in page


def test_every_axis_of_the_slices_is_shown(own: Context) -> None:
    path = own.path("eval", METRICS)
    judged = json.loads(path.read_text())
    judged["slices"]["collection"] = {"<inbox>": judged["slices"]["brightness"]["dark"]}
    path.write_text(json.dumps(judged))
    text = write_run_page(own).read_text(encoding="utf-8")
    assert ">collection</span>" in text
    assert ": &lt;inbox&gt;" in text


def test_names_and_messages_stay_text(page: str) -> None:
    tags = Tags(page).all
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert [tag for tag, _ in tags].count("script") == 1
    assert "b" not in [tag for tag, _ in tags]
    assert HOSTILE in [attributes.get("alt") for tag, attributes in tags if tag == "img"]


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    assert not re.findall(r"https?://", page)
    sources = [attributes.get("src") for _, attributes in Tags(page).all if "src" in attributes]
    assert sources
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in sources)
    [policy] = [attributes["content"] for _, attributes in Tags(page).all if "http-equiv" in attributes]
    assert str(policy).startswith("default-src 'none'")


def test_a_run_that_has_only_begun_has_a_page(own: Context) -> None:
    for name in ("eval/metrics.json", "eval/curves.json", "export/parity.json", "train/metrics.jsonl"):
        (own.folder / name).unlink()
    text = write_run_page(own).read_text(encoding="utf-8")
    assert [attributes["id"] for tag, attributes in Tags(text).all if tag == "section"] == ["data", "lineage"]


def test_a_damaged_artefact_is_named(own: Context) -> None:
    before = write_run_page(own).read_text(encoding="utf-8")
    own.path("eval", METRICS).write_text("{")
    with pytest.raises(StageError, match=r"metrics\.json is damaged") as refused:
        write_run_page(own)
    assert "eval" in refused.value.hint
    assert (own.folder / PAGE).read_text(encoding="utf-8") == before


def test_pictures_that_are_gone_or_have_no_room_are_counted(
    own: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskdet.reporting.page.Album", lambda: Album(left=100))
    assert "1 more are not drawn." in write_run_page(own).read_text()
    monkeypatch.undo()
    for picture in (own.folder.parents[1] / "data" / "JPEGImages").iterdir():
        picture.unlink()
    assert "1 more are not drawn." in write_run_page(own).read_text()


def test_a_folder_without_a_run_is_refused(run: Context, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(StageError, match="holds no run"):
        write_run_page(Context(run.pipeline, tmp_path / "none"))


def test_both_languages_fill_in_the_same_values() -> None:
    def values(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for key, (english, chinese) in TEXTS.items():
        assert values(english) == values(chinese), key
        assert english, key


def test_text_becomes_markup_only_by_name() -> None:
    inner = element("b", "a < b", title='say "hi"')
    assert inner == '<b title="say &quot;hi&quot;">a &lt; b</b>'
    assert joined([inner, "<i>"]) == f"{inner}&lt;i&gt;"
    assert element("input", type="range", disabled=True, hidden=False) == '<input type="range" disabled/>'


def test_the_promise_and_the_reliability_are_those_of_the_evaluation(own: Context) -> None:
    path = own.path("eval", METRICS)
    judged = json.loads(path.read_text())
    terms = judged["promise"]["terms"]
    terms["bare_passed"] |= {"value": 0.5, "count": 4, "of": 8, "interval": [0.2, 0.8], "kept": False}
    terms["false_alarms"] |= {"value": 0.04, "count": 1, "of": 25, "interval": [0.0, 0.09], "at_most": 0.1}
    terms["answered.masked"] |= {"value": None, "interval": None, "kept": None, "proved": False}
    terms["answered.bare"] |= {"value": 0.9, "interval": [0.4, 1.0], "kept": True, "proved": False}
    judged["promise"]["held_out"] = True
    calibration = judged["calibration"]
    bins = [{"from": 0.8, "count": 9, "score": 0.85, "right": 0.4}]
    calibration |= {"in_force": True, "temperature": 0.287182}
    calibration["before"] |= {"detections": 4321, "ece": 0.1234, "bins": bins}
    calibration["before"]["collections"] = {"<own>": calibration["before"]["classes"]["with_mask"]}
    calibration["after"] = {**calibration["before"], "detections": 987, "ece": 0.0456, "ece_chance": 0.031}
    path.write_text(json.dumps(judged))

    text = write_run_page(own).read_text(encoding="utf-8")

    assert "thresholds that were chosen, and scores that were calibrated, without it" in text
    assert "50.0% (20.0% – 80.0%) 4/8" in text
    assert "0.040 (0.000 – 0.090) 1/25" in text
    assert "at most 0.100" in text
    assert '<span class="fail"><span class="en" lang="en">no</span>' in text
    assert '<span><span class="en" lang="en">yes, but val is too small to prove it</span>' in text
    assert "Calibrated with temperature 0.287" in text
    cells = "".join(f"<td>{cell}</td>" for cell in ("4321", "0.123", "987", "0.046", "0.031"))
    assert cells in text
    assert "&lt;own&gt;" in text
    charts = text.partition('id="reliability"')[2].partition("</section>")[0]
    assert charts.count("<circle") == 2


def test_a_run_of_a_version_without_promises_has_a_page(own: Context) -> None:
    path = own.path("eval", METRICS)
    judged = json.loads(path.read_text())
    del judged["promise"], judged["calibration"]
    path.write_text(json.dumps(judged))
    text = write_run_page(own).read_text(encoding="utf-8")
    ids = [attributes["id"] for tag, attributes in Tags(text).all if tag == "section"]
    assert tuple(ids) == tuple(key for key in SECTIONS if key not in ("promise", "reliability"))
