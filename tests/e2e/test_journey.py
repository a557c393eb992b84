"""A user's way from a folder of pictures to an answered request, by the commands alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from maskdet.detector.bundle import load_bundle

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"
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
