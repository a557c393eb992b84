"""`maskdet data`: help, and the difference of two runs."""

from __future__ import annotations

import json

import pytest

from maskdet.errors import UsageError


def test_its_help_imports_nothing_heavy(heavy_after):
    assert not heavy_after("data", "--help")
    assert not heavy_after("data", "diff", "--help")


def test_the_difference_of_two_runs(project, invoke):
    invoke("prepare")
    (project / "other.yml").write_text("name: other\ndata: {root: faces}\ntrain: {batch_size: 2}\n")
    path = project / "faces" / "Annotations" / "face000.xml"
    same = invoke("prepare", "-c", "other.yml") and invoke("data", "diff", "demo", "other", "--exit-code")
    assert (same.exit_code, same.output[:21]) == (0, "The data is the same:")
    path.write_text(path.read_text().replace("with_mask", "without_mask", 1))
    invoke("prepare", "-c", "other.yml")
    for named in (
        ("demo", "other"),
        ("runs/demo", "runs/other/prepare"),
        ("demo", "runs/other/prepare/manifest.json"),
    ):
        assert "Relabelled: 1\n- JPEGImages/face000" in invoke("data", "diff", *named).output
    told = invoke("data", "diff", "demo", "other", "--json", "--exit-code")
    assert told.exit_code == 1
    assert len(json.loads(told.output)["relabelled"]) == 1


def test_a_run_that_is_not_there(project, invoke):
    with pytest.raises(UsageError, match="nowhere: no manifest there") as caught:
        invoke("data", "diff", "nowhere", "demo")
    assert "manifest.json" in caught.value.hint


@pytest.mark.parametrize(("more", "warned"), [("", True), (", frozen_val: demo.val.json", False)])
def test_prepare_warns_where_an_inbox_could_change_val(project, invoke, more, warned):
    roots = "[{root: faces}, {root: inbox, part: train, optional: true}]"
    (project / "pipeline.yml").write_text(
        f"name: demo\ndata: {{roots: {roots}{more}}}\ntrain: {{batch_size: 2}}\n"
    )
    done = invoke("prepare")
    assert done.exit_code == 0
    assert ("data.frozen_val: pipeline.val.json keeps what was val" in done.output) == warned


def test_prepare_is_up_to_date_after_it_has_written_the_frozen_val(project, invoke):
    (project / "pipeline.yml").write_text(
        "name: demo\ndata: {root: faces, frozen_val: demo.val.json}\ntrain: {batch_size: 2}\n"
    )
    assert "ran" in invoke("prepare").output
    frozen = project / "demo.val.json"
    assert len(json.loads(frozen.read_text())["val"]) == 2
    assert "up to date" in invoke("prepare").output
    raw = json.loads(frozen.read_text())
    raw["train"].append("0" * 16)
    frozen.write_text(json.dumps(raw))
    assert "up to date" not in invoke("prepare").output
