"""A user's way from a folder of pictures to an answered request and a CI job, by the commands alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from workflow_steps import Runner, read_workflow

from maskdet.detector.bundle import load_bundle

REPO = Path(__file__).resolve().parents[2]
SAMPLE = REPO / "data" / "sample"
PICTURES = 20
QUICK = (
    "model.variant=picodet_s_320_esnet",
    "train.epochs=1",
    "train.batch_size=4",
    "export.parity_pictures=2",
)
ARTEFACTS = (
    "prepare/train.txt",
    "prepare/val.txt",
    "prepare/label_list.txt",
    "prepare/manifest.json",
    "prepare/report.md",
    "prepare/*.png",
    "config/picodet.yml",
    "train/last.*",
    "train/best.*",
    "train/metrics.jsonl",
    "train/curves.png",
    "eval/metrics.json",
    "export/model.json",
    "export/model.pdiparams",
    "export/infer_cfg.yml",
    "export/model.onnx",
    "export/parity.json",
    "report.md",
)
pytestmark = pytest.mark.slow


def maskdet(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a user in `folder` runs it, with what the quick settings change."""
    return subprocess.run(
        [sys.executable, "-m", "maskdet", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
    )


def quick(*more: str) -> list[str]:
    return [part for setting in (*QUICK, *more) for part in ("--set", setting)]


def contents(results: Path) -> dict[str, str]:
    files = (path for path in sorted(results.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small data set on which `init` and `run` have been called. Results: runs/faces."""
    folder = tmp_path_factory.mktemp("project")
    for kind in ("JPEGImages", "Annotations"):
        (folder / "faces" / kind).mkdir(parents=True)
        for path in sorted((SAMPLE / kind).iterdir())[:PICTURES]:
            shutil.copy(path, folder / "faces" / kind)
    for arguments in (["init", "faces"], ["run", *quick()]):
        done = maskdet(folder, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """`maskdet serve` on a free port; its address is what it prints."""
    command = [sys.executable, "-m", "maskdet", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, f"no address in {line!r}"
            yield found.group().rstrip("/")
        finally:
            process.terminate()
            process.wait(60)


def test_every_artefact_is_written(project: Path) -> None:
    results = project / "runs" / "faces"
    missing = [pattern for pattern in ARTEFACTS if not list(results.glob(pattern))]
    assert not missing


def test_the_bundle_states_the_policy_that_eval_chose_by(project: Path) -> None:
    results = project / "runs" / "faces"
    judged = json.loads((results / "eval" / "metrics.json").read_text())
    meta = load_bundle(results / "export" / "model.onnx").meta
    assert meta.threshold_policy.model_dump() == judged["threshold_policy"]
    [in_force] = [each for each in judged["policies"] if each["in_force"]]
    assert in_force["policy"] == judged["threshold_policy"]
    assert {label: each["threshold"] for label, each in in_force["classes"].items()} == meta.thresholds
    assert {f"recall_wide.{label}" for label in meta.labels} & meta.metrics.keys()


def test_a_second_run_changes_nothing_and_says_so(project: Path) -> None:
    results = project / "runs" / "faces"
    before = contents(results)
    done = maskdet(project, "run", *quick())
    assert done.returncode == 0
    assert "everything is up to date" in done.stdout
    assert contents(results) == before


def test_other_epochs_leave_prepare_as_it_is(project: Path) -> None:
    done = maskdet(project, "run", "--dry-run", *quick("train.epochs=2"))
    states = dict(re.findall(r"^(\w+)\s+(up to date|would run|may run)", done.stdout, re.MULTILINE))
    assert states["prepare"] == "up to date"
    assert states["train"] == "would run"
    assert states["export"] == "may run"


def test_predict_and_serve_agree(project: Path) -> None:
    picture = project / "faces" / "JPEGImages" / "sample_012.jpg"
    done = maskdet(
        project, "predict", str(picture), "--format", "json", "--threshold", "0.02", "--out", "found"
    )
    assert done.returncode == 0, done.stderr
    [predicted] = json.loads((project / "found" / "predictions.json").read_text())["pictures"]
    with serving(project) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        assert client.get("/health/ready").status_code == 200
        answer = client.post(
            "/v1/detect",
            params={"threshold": "0.02"},
            content=picture.read_bytes(),
            headers={"Content-Type": "image/jpeg"},
        )
    assert answer.status_code == 200
    [served] = answer.json()["results"]
    assert predicted["detections"], "one epoch already gives candidates above 0.02"
    for one, other in zip(predicted["detections"], served["detections"], strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-3)
        assert one["box"] == pytest.approx(other["box"], abs=0.1)


def test_the_server_is_gone_afterwards(project: Path) -> None:
    with serving(project) as address:
        assert httpx.get(f"{address}/health/live", trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health/live", trust_env=False)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "--set", "train.epoch=1"], 2, "epochs"),
        (["run", "-c", "nowhere.yml"], 2, "nowhere.yml"),
        (["prepare", "--set", "data.root=nowhere"], 3, "nowhere"),
        (["predict", "--model", "pipeline.yml", "faces/JPEGImages"], 5, "pipeline.yml"),
        (["export", "--runs-dir", "elsewhere"], 9, "maskdet train"),
        (["serve", "--runs-dir", "elsewhere"], 9, "maskdet run"),
    ],
)
def test_a_mistake_has_its_exit_code_and_a_next_step(
    project: Path, arguments: list[str], code: int, message: str
) -> None:
    done = maskdet(project, *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of the repository with a user's data, and what a workflow's caches hold: the environment,
    and the stages of an earlier job.
    """
    if shutil.which("git") is None or not (REPO / ".git").exists():
        pytest.skip("this is no clone of the repository")
    folder = tmp_path_factory.mktemp("runner") / "work"
    subprocess.run(["git", "clone", "--quiet", "--no-local", REPO, folder], check=True)
    shutil.copytree(project / "faces", folder / "faces")
    shutil.copytree(project / "runs", folder / "runs")
    shutil.copy2(project / "pipeline.yml", folder)
    restore_environment(folder)
    return folder


def restore_environment(folder: Path) -> None:
    """A .venv that has the packages of this one, marked as set_up.sh marks an installed one."""
    venv = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    own = {"base": str(venv), "platbase": str(venv)}
    packages = Path(sysconfig.get_path("purelib", scheme="posix_prefix", vars=own))
    (packages / "packages.pth").write_text(f"{folder}\n{sysconfig.get_path('purelib')}\n")
    command = venv / "bin" / "maskdet"
    command.write_text(f"#!{venv}/bin/python\nfrom maskdet.cli.app import main\nmain()\n")
    command.chmod(0o755)
    parts = (folder / "requirements/dev.txt", folder / "pyproject.toml")
    digest = hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()
    (venv / ".installed").write_text(f"{digest} {sys.version.split()[0]} {folder}\n")


LENIENT = (
    "gates.counts.pictures=1",
    "gates.counts.faces=1",
    "gates.counts.class_faces=1",
    "gates.counts.bare_faces=1",
    "gates.limits.false_alarms=null",
    "gates.limits.bare_passed_judge=off",
    "gates.floors.ap50=0.0",
)
USED = (
    "actions/checkout@v4",
    "actions/setup-python@v5",
    "actions/cache@v4",
    "actions/cache/restore@v4",
    "actions/cache/save@v4",
    "actions/upload-artifact@v4",
)
"""Steps of the workflow that use an action instead of running a command: here they are passed over."""


def by_hand(clone: Path, floor: str) -> tuple[int, Runner]:
    """The retraining workflow, started by hand with settings of one's own."""
    values = {
        "inputs.pipeline || 'configs/sample.yml'": "pipeline.yml",
        "inputs.overrides": " ".join((*QUICK, *LENIENT, f"gates.floors.ap50_95={floor}")),
        "github.event_name == 'pull_request' || "
        "(github.event_name == 'workflow_dispatch' && !inputs.promote)": "false",
        "github.event_name != 'pull_request'": "true",
        "github.event_name == 'pull_request'": "false",
        "github.run_attempt": "1",
    }
    runner = Runner(clone, values, {"PYTHONPATH": "", "PYTHON": ""})
    job = read_workflow(clone / ".github" / "workflows" / "retrain.yml")["jobs"]["retrain"]
    return runner.run(job), runner


def annotations(log: str) -> list[str]:
    """What the runner takes for an annotation: no line between stop-commands and its token."""
    shown = re.sub(r"(?ms)^::stop-commands::(\w+)$.*?^::\1::$", "", log)
    return re.findall(r"(?m)^::(?:error|warning|notice) .*$", shown)


def test_the_workflow_refuses_then_promotes_then_finds_nothing_to_do(clone: Path) -> None:
    code, runner = by_hand(clone, "1.0")
    assert code == 11, runner.logs
    assert runner.outputs["retrain"] == {"model": "faces", "status": "refused", "version": "1"}
    assert runner.outputs["names"]["artifact"] == "faces-version-1-attempt-1"
    assert set(runner.used) == set(USED)
    told = annotations(runner.logs[1])
    assert any(
        each.startswith("::error title=maskdet::faces: version 1 is refused by the gates") for each in told
    )
    assert any("pipeline.val.json has changed: commit it" in each for each in told)
    assert not (clone / "models" / "faces" / "aliases" / "champion").exists()

    code, runner = by_hand(clone, "0.0")
    assert code == 0, runner.logs
    assert runner.outputs["retrain"]["status"] == "promoted"
    assert (clone / "models" / "faces" / "aliases" / "champion").read_text() == "1\n"
    log = runner.logs[1]
    groups = re.findall(r"(?m)^::group::(\w+)", log)
    assert groups == ["gates", "register", "promote", "report"]
    assert log.count("::endgroup::") == len(groups)
    assert 0 < len(annotations(log)) <= 10
    comment = (clone / "runs" / "faces" / "ci" / "comment.md").read_text(encoding="utf-8")
    assert len(comment.encode()) < 64_000
    assert comment in runner.summary
    assert len(runner.summary.encode()) < 1 << 20

    before = contents(clone / "models")
    code, runner = by_hand(clone, "0.0")
    assert code == 0
    assert "nothing to do: version 1 is the champion" in runner.logs[1]
    assert contents(clone / "models") == before


def test_the_other_ways_to_start_it_run_the_same_command(clone: Path) -> None:
    command = [str(clone / ".venv/bin/python"), "-m", "maskdet", "init", "faces", "--ci"]
    for kind in ("gitlab", "dvc", "cron"):
        subprocess.run([*command, kind], cwd=clone, check=True, capture_output=True)
    job = yaml.safe_load((clone / ".gitlab-ci.yml").read_text())["retrain"]
    [line] = [text for text in (clone / "retrain.cron").read_text().splitlines() if text[0] != "#"]
    scripts = {
        "gitlab": ("\n".join(job["script"]), {**job["variables"], "GITLAB_CI": "true"}),
        "dvc": (yaml.safe_load((clone / "dvc.yaml").read_text())["stages"]["retrain"]["cmd"], {}),
        # cron gives a line after its five fields to sh, with hardly any environment.
        "cron": (line.split(maxsplit=5)[5], {"PATH": "/usr/bin:/bin"}),
    }
    settings = [part for each in (*QUICK, *LENIENT) for part in ("--set", each)]
    wrapper = clone / ".venv" / "bin" / "maskdet"
    quick_wrapper = wrapper.read_text().replace(
        "main()", f"import sys; sys.argv += {settings!r} * ('run' in sys.argv); main()"
    )
    wrapper.write_text(quick_wrapper)
    for kind, (script, variables) in scripts.items():
        environment = {**os.environ, "PYTHONPATH": "", **variables}
        done = subprocess.run(
            ["sh", "-ec", script], cwd=clone, env=environment, capture_output=True, text=True, check=False
        )
        said = done.stdout if kind != "cron" else (clone / "retrain.log").read_text()
        assert done.returncode == 0, said + done.stderr
        assert "nothing to do: version 1 is the champion" in said
