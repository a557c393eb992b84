"""What a CI job does with an exported model: gates, registry, champion, and what a killed job leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from drawn_run import context_of, draw_run, export_again, up_to_date
from support import LABELS, write_tiny_bundle
from trained import REPO

from maskdet.artefacts import BUNDLE, GATES, MANIFEST, PAGE
from maskdet.cli.run import run as command
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import FolderInUse, TrainingError, UsageError
from maskdet.pipeline.ci.delivering import Delivering
from maskdet.pipeline.ci.reports import CI, COMMENT, DECIDING, write_failure
from maskdet.pipeline.references.models import registry_of
from maskdet.pipeline.release.gating import FOLDER, Gating
from maskdet.pipeline.running.lock import run_lock
from maskdet.pipeline.running.outcome import RunResult
from maskdet.pipeline.running.stage import Context
from maskdet.registry.comparison import compare_versions
from maskdet.registry.pruning import prune
from maskdet.registry.summary import details_of
from maskdet.reporting.delivery import Delivery, Fate

FEW = {
    "gates": {
        "counts": {"pictures": 1, "faces": 1, "class_faces": 1, "bare_faces": 1},
        "limits": {"bare_passed_judge": "value", "false_alarms": None},
        "slices": [],
        "not_worse": {"p95_ratio": None},
    }
}
SWAPPED = (LABELS[1], LABELS[0], LABELS[2])
"""Labels of a model that takes bare faces for masked ones."""
STEPS = ("gates", "register", "promote", "report")


def deliver(context: Context, *, promote: bool = True) -> tuple[Delivery, list[str]]:
    """How the job ended, and the steps that it took."""
    steps: list[str] = []
    delivering = Delivering(promote, lambda step, _reason: steps.append(step))
    delivering(context, up_to_date())
    assert delivering.delivery is not None
    return delivering.delivery, steps


def champion(context: Context) -> int | None:
    return registry_of(context).aliases(context.pipeline.name).get("champion")


def told(context: Context) -> str:
    return context.path(CI, COMMENT).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run that nothing was delivered from."""
    root = tmp_path_factory.mktemp("drawn")
    draw_run(root, sections=FEW)
    return root


@pytest.fixture(scope="module")
def crowned(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a champion, and then another bundle that is as good."""
    root = tmp_path_factory.mktemp("crowned")
    context = copied(drawn, root)
    deliver(context)
    export_again(context, metrics={"ap50": 0.9})
    return root


def copied(project: Path, root: Path) -> Context:
    shutil.copytree(project, root, dirs_exist_ok=True)
    return context_of(root, sections=FEW)


@pytest.fixture
def run(drawn: Path, tmp_path: Path) -> Context:
    return copied(drawn, tmp_path)


@pytest.fixture
def reigning(crowned: Path, tmp_path: Path) -> Context:
    return copied(crowned, tmp_path)


def test_the_first_model_that_passes_is_the_champion_and_again_there_is_nothing_to_do(run: Context) -> None:
    first, steps = deliver(run)
    assert (first.fate, first.version, first.champion) == (Fate.PROMOTED, 1, None)
    assert tuple(steps) == STEPS
    assert registry_of(run).aliases("drawn") == {"challenger": 1, "champion": 1}
    assert "version 1 is the champion, the first" in told(run)
    before = {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")}
    again, steps = deliver(run)
    assert again.unchanged
    assert again.fate is Fate.PROMOTED
    assert steps == []
    assert {path: path.stat().st_mtime_ns for path in run.folder.rglob("*")} == before


def test_the_report_of_the_decision_is_back_after_a_job_that_failed(run: Context) -> None:
    deliver(run)
    decided = told(run)
    write_failure(run, TrainingError("killed: out of memory"))
    assert "the job failed" in told(run)
    assert deliver(run)[0].unchanged
    assert told(run) == decided


def test_a_challenger_as_good_takes_the_seat_and_both_reports_show_why(reigning: Context) -> None:
    second, _ = deliver(reigning)
    assert (second.fate, second.version, second.champion) == (Fate.PROMOTED, 2, 1)
    comment, page = told(reigning), (reigning.folder / PAGE).read_text(encoding="utf-8")
    assert "## ✅ drawn: version 2 is the champion, after version 1" in comment
    assert "| `not_worse.ap50` | 100.0% | 100.0% | +0.0 points |" in comment
    assert "| train | +0 | -0 |" in comment
    assert "maskdet run --runs-dir runs --ci" in comment
    assert 'id="gates"' in page
    assert "models:drawn@2" in page


def test_a_worse_challenger_is_refused_by_name_and_the_champion_stays(reigning: Context) -> None:
    export_again(reigning, labels=SWAPPED)
    refused, _ = deliver(reigning)
    assert (refused.fate, refused.version, refused.champion) == (Fate.REFUSED, 2, 1)
    assert champion(reigning) == 1
    assert any("class_recall" in reason for reason in refused.reasons)
    assert "## ❌ drawn: version 2 is refused by the gates; version 1 stays champion" in told(reigning)
    assert reigning.path(CI, DECIDING, "regressions.png").is_file()
    assert "duels" in (reigning.folder / PAGE).read_text(encoding="utf-8")
    again, steps = deliver(reigning)
    assert (again.unchanged, again.fate, steps) == (True, Fate.REFUSED, [])


def test_other_gates_judge_a_refused_model_again(reigning: Context) -> None:
    export_again(reigning, labels=SWAPPED)
    deliver(reigning)
    off = {"judge": "off"}
    names = ("ap50", "ap50_95", "class_ap50", "class_recall", "bare_passed", "false_alarms")
    rules = {
        **FEW["gates"],
        "floors": off,
        "limits": {"bare_passed_judge": "off", "false_alarms": None},
        "not_worse": {"p95_ratio": None, **dict.fromkeys(names, off)},
    }
    looser = reigning.pipeline.model_copy(
        update={"gates": type(reigning.pipeline.gates).model_validate(rules)}
    )
    context = Context(looser, reigning.folder, arguments=reigning.arguments)
    second, steps = deliver(context)
    assert "gates" in steps
    assert second.fate is Fate.PROMOTED


def test_the_last_verdict_on_a_version_is_the_one_that_is_shown(reigning: Context) -> None:
    assert deliver(reigning, promote=False)[0].fate is Fate.PASSED
    registry = registry_of(reigning)
    counts = reigning.pipeline.gates.counts.model_copy(update={"pictures": 1000})
    gates = reigning.pipeline.gates.model_copy(update={"counts": counts})
    refused, _ = deliver(replace(reigning, pipeline=reigning.pipeline.model_copy(update={"gates": gates})))
    assert (refused.fate, refused.version) == (Fate.REFUSED, 2)
    version = registry.version("drawn", 2)
    assert version.record.lineage.gates["passed"] is True
    shown = details_of(version, {}, registry.history("drawn"))["gates"]
    assert shown == {"passed": False, "reasons": list(refused.reasons)}
    compared = compare_versions(registry, registry.version("drawn", 1), version)
    assert ("gates: passed", True, False) in [(one.name, one.first, one.second) for one in compared.lineage]


def test_a_named_champion_that_was_replaced_judges_again(reigning: Context, tmp_path: Path) -> None:
    named = tmp_path / "named.onnx"
    shutil.copy(reigning.path("export", BUNDLE), named)
    export_again(reigning, labels=SWAPPED)
    gates = reigning.pipeline.gates.model_copy(update={"champion": named})
    context = replace(reigning, pipeline=reigning.pipeline.model_copy(update={"gates": gates}))
    assert deliver(context)[0].fate is Fate.REFUSED
    assert deliver(context)[0].unchanged
    shutil.copy(context.path("export", BUNDLE), named)
    again, steps = deliver(context)
    assert not again.unchanged
    assert "gates" in steps


def test_promotion_may_be_left_to_a_person(reigning: Context) -> None:
    held, _ = deliver(reigning, promote=False)
    assert (held.fate, champion(reigning)) == (Fate.PASSED, 1)
    assert deliver(reigning, promote=False)[0].unchanged
    promoted, steps = deliver(reigning)
    assert (promoted.fate, champion(reigning)) == (Fate.PROMOTED, 2)
    assert "gates" not in steps


def test_what_a_person_judged_between_two_jobs_is_not_the_verdict(reigning: Context, tmp_path: Path) -> None:
    deliver(reigning, promote=False)
    gates = reigning.path(FOLDER, GATES)
    judged = json.loads(gates.read_text())["challenger"]["sha256"]
    bad = tmp_path / "bad.onnx"
    Gating(write_tiny_bundle(bad, labels=SWAPPED))(reigning, up_to_date())
    assert "fail" in gates.read_text()
    promoted, steps = deliver(reigning)
    assert (promoted.fate, "gates" in steps) == (Fate.PROMOTED, True)
    assert json.loads(gates.read_text())["challenger"]["sha256"] == judged
    assert "❌ fail" not in told(reigning)


def test_a_model_that_was_rolled_back_is_not_promoted_again(reigning: Context) -> None:
    deliver(reigning)
    registry_of(reigning).rollback("drawn", "champion", why="wrong on Mondays")
    again, _ = deliver(reigning)
    assert again.fate is Fate.STEPPED_DOWN
    assert champion(reigning) == 1
    # Nor where the job's own record is lost, as after a fresh checkout.
    reigning.path(CI, "result.json").unlink()
    fresh, _ = deliver(reigning)
    assert fresh.fate is Fate.STEPPED_DOWN
    assert champion(reigning) == 1


def test_nor_under_another_number_after_its_version_was_pruned(reigning: Context) -> None:
    deliver(reigning)
    registry = registry_of(reigning)
    for alias in ("champion", "challenger"):
        registry.rollback("drawn", alias, why="wrong on Mondays")
    prune(registry, "drawn", 0, "anna", dry_run=False)
    reigning.path(CI, "result.json").unlink()
    fresh, _ = deliver(reigning)
    assert (fresh.fate, fresh.version) == (Fate.STEPPED_DOWN, 3)
    assert champion(reigning) == 1


def test_a_version_that_the_registry_has_lost_is_registered_again(reigning: Context, tmp_path: Path) -> None:
    held, _ = deliver(reigning, promote=False)
    assert (held.fate, held.version) == (Fate.PASSED, 2)
    shutil.rmtree(tmp_path / "models")
    again, _ = deliver(reigning, promote=False)
    assert (again.unchanged, again.version, again.champion) == (False, 1, None)
    elsewhere = reigning.pipeline.registry.model_copy(update={"root": tmp_path / "elsewhere"})
    moved = replace(reigning, pipeline=reigning.pipeline.model_copy(update={"registry": elsewhere}))
    assert not deliver(moved, promote=False)[0].unchanged
    assert list(registry_of(moved).aliases("drawn")) == ["challenger"]
    assert deliver(moved, promote=False)[0].unchanged


def test_a_damaged_record_proves_nothing(reigning: Context) -> None:
    deliver(reigning, promote=False)
    for name in ("result.json", "judged.json"):
        reigning.path(CI, name).write_text("{")
    done, steps = deliver(reigning)
    assert done.fate is Fate.PROMOTED
    assert "gates" in steps


def test_models_are_compared_on_a_val_of_a_single_picture(reigning: Context) -> None:
    path = reigning.path("prepare", MANIFEST)
    manifest = load_manifest(path)
    alone = manifest.part("val")[-1]
    replace(manifest, pictures=(*manifest.part("train"), alone)).write(path)
    export_again(reigning, labels=SWAPPED)
    refused, _ = deliver(reigning)
    assert refused.fate is Fate.REFUSED
    assert "### Worst regressions" in told(reigning)


def test_a_failed_chain_delivers_nothing(run: Context) -> None:
    delivering = Delivering(True)
    outcomes = up_to_date().outcomes
    delivering(run, RunResult(outcomes, error=TrainingError("out of memory")))
    assert delivering.delivery is None
    assert not (run.folder.parents[1] / "models").exists()


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from drawn_run import context_of, up_to_date
from test_ci import FEW
from maskdet.pipeline.ci.delivering import Delivering

def on_start(step, reason):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

Delivering(True, on_start)(context_of(Path(sys.argv[1]), sections=FEW), up_to_date())
"""


@pytest.mark.parametrize("step", ["register", "promote", "report"])
def test_the_next_job_completes_one_that_was_killed(reigning: Context, tmp_path: Path, step: str) -> None:
    folders = os.pathsep.join(str(REPO / name) for name in ("", "tests", "tests/pipeline/ci"))
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, tmp_path, step],
        env={**os.environ, "PYTHONPATH": folders},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    # Whatever was reached is whole.
    assert champion(reigning) in (1, 2)
    completed, steps = deliver(reigning)
    assert (completed.fate, completed.version, completed.champion) == (Fate.PROMOTED, 2, 1)
    assert "gates" not in steps
    assert champion(reigning) == 2
    assert "after version 1" in told(reigning)
    assert list(registry_of(reigning).versions("drawn"))[-1].number == 2
    assert deliver(reigning)[0].unchanged


def test_a_promotion_that_was_recorded_but_not_made_is_made(reigning: Context) -> None:
    deliver(reigning)
    # What a kill leaves between the line in the history and the rename of the alias.
    registry_of(reigning).layout("drawn").point("champion", 1)
    reigning.path(CI, "result.json").unlink()
    completed, steps = deliver(reigning)
    assert (completed.fate, completed.version, completed.champion) == (Fate.PROMOTED, 2, 1)
    assert champion(reigning) == 2
    assert steps == ["report"]
    registry_of(reigning).layout("drawn").point("champion", 1)
    assert deliver(reigning)[0].version == 2
    assert champion(reigning) == 2


def test_of_two_jobs_on_one_folder_one_says_that_the_other_runs(
    run: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.yml").write_text("name: drawn\ndata: {root: data}\n")
    deliver(run)
    before = told(run)
    with run_lock(run.folder), pytest.raises(FolderInUse, match="in use by process"):
        command(ci=True)
    assert told(run) == before
    assert "error: " in capsys.readouterr().out


@pytest.mark.parametrize("changes", [True, False])
def test_a_list_of_val_that_the_job_changed_is_to_be_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, changes: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.yml").write_text("name: drawn\ndata: {root: data, frozen_val: pipeline.val.json}\n")

    def stages(*_: Any, **__: Any) -> RunResult:
        if changes:
            (tmp_path / "pipeline.val.json").write_text("{}")
        return RunResult([], error=TrainingError("out of memory"))

    monkeypatch.setattr("maskdet.pipeline.running.run.run_stages", stages)
    with pytest.raises(TrainingError):
        command(ci=True)
    assert ("pipeline.val.json has changed: commit it" in capsys.readouterr().out) is changes


@pytest.mark.parametrize(
    ("options", "said"),
    [({"ci": True, "end": "eval"}, "whole chain"), ({"promote": False}, "belong to --ci")],
)
def test_options_that_do_not_go_together_are_refused(
    run: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.yml").write_text("name: drawn\ndata: {root: data}\n")
    with pytest.raises(UsageError, match=said):
        command(**options)
