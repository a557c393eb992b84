"""Runs and bundles side by side, through the command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from drawn_run import draw_run
from support import LABELS, write_tiny_bundle
from typer.testing import CliRunner, Result

from maskdet.artefacts import BUNDLE, METRICS
from maskdet.cli.app import app
from maskdet.detector.shipped import shipped_model
from maskdet.errors import StageError, UsageError
from maskdet.export.figures import bundle_figures
from maskdet.pipeline.references.contenders import read_contenders
from maskdet.reporting.comparison import Comparison, comparison_page, figure_rows
from maskdet.reporting.figures import kind_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """runs/one and runs/two on the same labels, runs/three on others."""
    root = tmp_path_factory.mktemp("compared")
    draw_run(root, "one", epochs=3)
    draw_run(root, "two", epochs=5)
    draw_run(root, "three", labels={LABELS[1]: LABELS[0]})
    return root


@pytest.fixture
def compare(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(project)
    return lambda *names: CliRunner().invoke(app, ["compare", *names], catch_exceptions=False)


def test_only_what_differs_is_listed(compare: Callable[..., Result]) -> None:
    done = compare("one", "runs/two")
    assert done.exit_code == 0
    settings = done.stdout.partition("setting")[2]
    assert [line.split() for line in settings.splitlines()[1:] if line.strip()] == [
        ["train.epochs", "3", "5"]
    ]
    assert "*" not in done.stdout
    assert "note" not in done.stderr


def test_other_val_labels_are_said_and_nothing_is_called_best(compare: Callable[..., Result]) -> None:
    done = compare("one", "three")
    assert "not evaluated on the same val pictures" in done.stderr
    assert "*" not in done.stdout


def test_the_json_has_values_intervals_and_counts(compare: Callable[..., Result]) -> None:
    told = json.loads(compare("one", "two", "--json").stdout)
    assert told["same_val"] is True
    assert told["settings"] == {"train.epochs": {"one": 3, "two": 5}}
    passed = told["runs"]["one"]["bare_passed"]
    assert passed["count"] == 0
    assert passed["of"] == 2
    assert len(passed["interval"]) == 2


def test_a_bundle_is_compared_by_what_it_states(project: Path) -> None:
    other = write_tiny_bundle(project / "other.onnx", metrics={"ap50": 0.25, "policy.safe.recall": 0.5})
    comparison = Comparison(read_contenders(["one", str(other)], project / "runs"))
    assert comparison.contenders[1].figures.keys() == {"ap50"}
    assert comparison.best("ap50") == {0}
    assert "train.epochs" not in comparison.differing()


LOWER_IS_BETTER = ("bare_passed", "ece", "promise.bare_passed", "promise.false_alarms")
HIGHER_IS_BETTER = ("ap50", "localisation", "promise.answered.masked", "recall_wide.with_mask")
UNKNOWN = ("sharpness", "speed.with_mask")


@pytest.fixture
def two(project: Path) -> Comparison:
    """Bundles that state 0.1 and 0.3 of everything."""
    names = (
        *LOWER_IS_BETTER,
        *HIGHER_IS_BETTER,
        *UNKNOWN,
        "false_alarms_per_1000",
        "promise.bare_passed.high",
    )
    bundles = [
        write_tiny_bundle(project / f"{stem}.onnx", metrics=dict.fromkeys(names, share))
        for stem, share in (("few", 0.1), ("many", 0.3))
    ]
    return Comparison(read_contenders([str(bundle) for bundle in bundles], project / "runs"))


def test_the_star_is_at_the_better_value(two: Comparison) -> None:
    assert all(two.best(name) == {0} for name in LOWER_IS_BETTER)
    assert all(two.best(name) == {1} for name in HIGHER_IS_BETTER)
    assert all(two.best(name) == set() for name in UNKNOWN)


def test_rates_are_no_shares_and_bounds_no_figures(two: Comparison) -> None:
    rows = {name: values for name, *values in figure_rows(two)}
    assert rows["promise.false_alarms"] == ["0.100 *", "0.300"]
    assert rows["false_alarms_per_1000"] == ["0 *", "0"]
    assert rows["promise.bare_passed"] == ["10.0% *", "30.0%"]
    assert "promise.bare_passed.high" not in rows


def test_each_figure_of_a_bundle_and_of_a_run_says_which_way_is_better(project: Path) -> None:
    contenders = read_contenders(["one", str(shipped_model())], project / "runs")
    names = {name for each in contenders for name in each.figures}
    assert {"ap50", "ece", "promise.answered.bare", "masked_as_bare"} <= names
    assert {name for name in names if kind_of(name).better is None} == set()


def test_the_page_escapes_names(project: Path, tmp_path: Path) -> None:
    named = tmp_path / "<i>.onnx"
    write_tiny_bundle(named)
    text = comparison_page(Comparison(read_contenders(["one", str(named)], project / "runs")))
    assert "&lt;i&gt;.onnx" in text
    assert "<i>" not in text


@pytest.mark.parametrize(
    ("named", "error", "said"),
    [
        (["one"], UsageError, "two or more"),
        (["one", "one"], UsageError, "different runs"),
        (["one", "nowhere"], UsageError, "nowhere: no such run"),
        (["one", "begun"], StageError, "metrics.json is missing"),
    ],
)
def test_what_cannot_be_compared_is_named(
    project: Path, named: list[str], error: type[Exception], said: str
) -> None:
    (project / "runs" / "begun" / ".stages").mkdir(parents=True, exist_ok=True)
    with pytest.raises(error, match=said):
        read_contenders(named, project / "runs")


def test_the_bundle_of_a_run_is_another_contender(project: Path) -> None:
    bundle = project / "runs" / "one" / "export" / BUNDLE
    assert read_contenders(["one", str(bundle)], project / "runs")[1].name == str(bundle)


def test_a_run_has_all_that_its_bundle_states(project: Path) -> None:
    judged = json.loads((project / "runs" / "one" / "eval" / METRICS).read_text(encoding="utf-8"))
    bundle = write_tiny_bundle(project / "stated.onnx", metrics=bundle_figures(judged))
    run, stated = read_contenders(["one", str(bundle)], project / "runs")
    assert {"ece", "localisation", "ap50"} <= stated.figures.keys() <= run.figures.keys()
    told = {name: round(figure.value, 4) for name, figure in stated.figures.items()}
    assert told == {name: round(run.figures[name].value, 4) for name in told}
    assert run.settings["threshold.with_mask"] == judged["classes"]["with_mask"]["threshold"]


def test_a_run_of_an_earlier_version_is_compared_by_what_it_measured(project: Path) -> None:
    shutil.copytree(project / "runs" / "one", project / "runs" / "earlier")
    path = project / "runs" / "earlier" / "eval" / METRICS
    judged = json.loads(path.read_text(encoding="utf-8"))
    for name in ("further", "policies", "promise", "calibration"):
        del judged[name]
    path.write_text(json.dumps(judged), encoding="utf-8")
    earlier, now = read_contenders(["earlier", "one"], project / "runs")
    assert now.figures.keys() - earlier.figures.keys() >= {"ece", "localisation"}
    assert earlier.figures["ap50"] == now.figures["ap50"]
