"""The CI files: one truth, nothing for an injection to get hold of, and no secret within a fork's reach."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from trained import REPO
from typer.testing import CliRunner
from workflow_steps import Runner, read_workflow

from maskdet.cli.app import app
from maskdet.errors import UsageError
from maskdet.pipeline.ci.workflows import FILES, CiKind, CiProject, within
from maskdet.pipeline.doctor.drawing import draw_data_set
from write_workflows.__main__ import PROJECT

WORKFLOWS = REPO / ".github" / "workflows"
RETRAIN, COMMENT = WORKFLOWS / "retrain.yml", WORKFLOWS / "retrain-comment.yml"
MARKER = "<!-- maskdet run --ci: face-mask -->"


def test_the_repositorys_workflows_are_what_the_templates_make() -> None:
    for name, text in PROJECT.files(CiKind.GITHUB).items():
        assert (REPO / name).read_text(encoding="utf-8") == text, f"run scripts/write_workflows for {name}"


@pytest.mark.parametrize("path", [RETRAIN, COMMENT], ids=lambda path: path.stem)
def test_scripts_hold_no_expression_and_permissions_are_few(path: Path) -> None:
    workflow = read_workflow(path)
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
            assert re.fullmatch(r"[\w-]+/[\w-]+(/[\w-]+)?@v\d+", step.get("uses", "a/b@v1"))
    assert "secrets" not in path.read_text(encoding="utf-8")
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert workflow["concurrency"]["cancel-in-progress"] is False


def test_only_the_job_that_runs_nothing_of_ours_may_attest() -> None:
    jobs = read_workflow(RETRAIN)["jobs"]
    assert "permissions" not in jobs["retrain"]
    assert jobs["attest"]["permissions"] == {"attestations": "write", "id-token": "write"}
    assert all("run" not in step for step in jobs["attest"]["steps"])
    checkout = jobs["retrain"]["steps"][0]
    assert checkout["with"] == {"persist-credentials": False}


def test_a_pull_request_promotes_nothing_and_keeps_nothing() -> None:
    steps = {step.get("name"): step for step in read_workflow(RETRAIN)["jobs"]["retrain"]["steps"]}
    assert steps["Retrain"]["env"]["HOLD"].startswith("${{ github.event_name == 'pull_request' ||")
    assert "github.event_name != 'pull_request'" in steps["Keep results and registry"]["if"]
    assert "pull_request_target" not in RETRAIN.read_text(encoding="utf-8")


def test_the_comment_job_has_only_a_token_that_comments_and_no_code_of_the_fork() -> None:
    workflow = read_workflow(COMMENT)
    assert list(workflow["on"]) == ["workflow_run"]
    [job] = workflow["jobs"].values()
    assert job["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert job["if"] == "github.event.workflow_run.event == 'pull_request'"
    assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == [
        "actions/download-artifact"
    ]


GH = """#!/usr/bin/env python3
import json, os, subprocess, sys
root = os.environ["GH_STUB"]
arguments = sys.argv[1:]
with open(f"{root}/calls.jsonl", "a") as log:
    body = open(arguments[arguments.index("--input") + 1]).read() if "--input" in arguments else ""
    log.write(json.dumps({"arguments": arguments, "body": body}) + "\\n")
if "--jq" in arguments:
    kind = "pulls" if "--method" in arguments else "comments"
    text = open(f"{root}/{kind}.json").read()
    program = arguments[arguments.index("--jq") + 1]
    sys.exit(subprocess.run(["jq", "-r", program], input=text, text=True).returncode)
"""


@pytest.fixture
def hosted(tmp_path: Path) -> Any:
    """A runner of the comment job on a pull request with a hostile branch; `gh` answers from files."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    folder, tools = tmp_path / "work", tmp_path / "bin"
    (folder / "comment" / "face-mask" / "ci").mkdir(parents=True)
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    branch = '$(touch pwned)`touch pwned`"; touch pwned #'
    values = {
        "github.token": "token",
        "github.repository": "owner/project",
        "github.event.workflow_run.head_repository.owner.login": "stranger",
        "github.event.workflow_run.head_branch": branch,
        "github.event.workflow_run.head_sha": "abc",
    }
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "GH_STUB": str(tmp_path)}
    runner = Runner(folder, values, environment)

    def run(comment: str, comments: list[dict[str, Any]], sha: str = "abc") -> tuple[int, list[Any]]:
        (folder / "comment" / "face-mask" / "ci" / "comment.md").write_text(comment, encoding="utf-8")
        pulls = [{"number": 6, "head": {"sha": "other"}}, {"number": 7, "head": {"sha": sha}}]
        (tmp_path / "pulls.json").write_text(json.dumps(pulls))
        (tmp_path / "comments.json").write_text(json.dumps(comments))
        [job] = read_workflow(COMMENT)["jobs"].values()
        code = runner.run(job)
        log = tmp_path / "calls.jsonl"
        calls = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
        assert not list(tmp_path.rglob("pwned")), runner.logs
        return code, calls

    run.branch = branch  # type: ignore[attr-defined]
    return run


def test_a_report_becomes_a_comment_and_a_hostile_branch_is_only_a_word(hosted: Any) -> None:
    code, calls = hosted(f"{MARKER}\n\n## $(touch pwned) @everyone `id`\n", [])
    assert code == 0
    assert f"head=stranger:{hosted.branch}" in calls[0]["arguments"]
    posted = calls[-1]
    assert posted["arguments"][:6] == [
        "api",
        "--silent",
        "--method",
        "POST",
        "repos/owner/project/issues/7/comments",
        "--input",
    ]
    body = json.loads(posted["body"])["body"]
    assert body.startswith(MARKER)
    assert "$(touch pwned)" in body
    assert "@everyone" not in body


def test_the_one_comment_is_updated_and_no_other(hosted: Any) -> None:
    bot = {"login": "github-actions[bot]"}
    comments = [
        {"id": 1, "user": {"login": "stranger"}, "body": f"{MARKER} forged"},
        {"id": 2, "user": bot, "body": "<!-- maskdet run --ci: other -->"},
        {"id": 3, "user": bot, "body": f"{MARKER}\nbefore"},
    ]
    code, calls = hosted(f"{MARKER}\nafter", comments)
    assert code == 0
    assert "repos/owner/project/issues/comments/3" in calls[-1]["arguments"]
    assert "PATCH" in calls[-1]["arguments"]


@pytest.mark.parametrize(
    "comment", ["", "no marker", "<!-- maskdet run --ci: x --> $(id)\n", "<!-- maskdet run --ci:  -->\n"]
)
def test_what_is_not_a_report_is_not_posted(hosted: Any, comment: str) -> None:
    code, calls = hosted(comment, [])
    assert code != 0
    assert [call for call in calls if call["body"]] == []


def test_nothing_is_posted_beside_the_commit_or_beyond_the_limit(hosted: Any) -> None:
    assert hosted(f"{MARKER}\n", [], sha="newer")[0] == 0
    code, calls = hosted(MARKER + "x" * 65_537, [])
    assert code == 0
    assert [call for call in calls if call["body"]] == []


def test_an_environment_is_kept_for_one_version_of_python() -> None:
    steps = read_workflow(RETRAIN)["jobs"]["retrain"]["steps"]
    [python] = [step for step in steps if "setup-python" in step.get("uses", "")]
    [cache] = [step for step in steps if step.get("name") == "Environment of an earlier job"]
    assert f"${{{{ steps.{python['id']}.outputs.python-version }}}}" in cache["with"]["key"]


@pytest.mark.parametrize("works", [True, False])
def test_an_environment_that_does_not_start_is_made_anew(tmp_path: Path, works: bool) -> None:
    project = CiProject(tmp_path, "pipeline.yml", ("data/faces",), "runs/faces")
    for name, text in (
        (".venv/bin/maskdet", f"#!{'/bin/sh' if works else '/no/python'}\n"),
        (".venv/bin/pip", "#!/bin/sh\n"),
        ("bin/python3", "#!/bin/sh\necho $@ > made\n"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", "\n".join(project.install)], cwd=tmp_path, env=environment, check=True)
    made = tmp_path / "made"
    assert made.is_file() is not works
    assert works or made.read_text() == "-m venv --clear .venv\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw_data_set(tmp_path / "data" / "faces", 4)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["init", "data/faces", *arguments])


@pytest.mark.parametrize("kind", list(CiKind))
def test_init_writes_the_files_of_a_project(project: Path, kind: CiKind) -> None:
    done = init("--ci", kind.value)
    assert done.exit_code == 0, done.output
    assert (project / "pipeline.yml").is_file()
    for name in FILES[kind]:
        text = (project / name).read_text(encoding="utf-8")
        assert not re.search(r"@[A-Z]+@", text)
        if kind is not CiKind.CRON:
            yaml.safe_load(text)
        if "comment" not in name:
            assert "pipeline.yml" in text
    if kind is CiKind.GITHUB:
        paths = read_workflow(project / ".github/workflows/retrain.yml")["on"]["push"]["paths"]
        assert paths == ["data/faces/**", "pipeline.yml"]
    if kind is CiKind.CRON:
        assert "(crontab -l 2>/dev/null; cat retrain.cron) | crontab -" in text
        line = (project / "retrain.cron").read_text().splitlines()[-1]
        assert line.split()[:5] == ["17", "3", "*", "*", "1"]


@pytest.mark.parametrize("kind", [CiKind.GITHUB, CiKind.GITLAB])
@pytest.mark.parametrize("frozen", ["pipeline.val.json", ""])
def test_the_list_of_val_is_among_the_artefacts(project: Path, kind: CiKind, frozen: str) -> None:
    more = f", frozen_val: {frozen}" if frozen else ""
    (project / "pipeline.yml").write_text(f"name: mine\ndata: {{root: data/faces{more}}}\n")
    assert init("--ci", kind.value).exit_code == 0
    text = (project / next(iter(FILES[kind]))).read_text(encoding="utf-8")
    kept = yaml.safe_load(text)["retrain" if kind is CiKind.GITLAB else "jobs"]
    assert ("pipeline.val.json" in json.dumps(kept)) is bool(frozen)
    assert "runs/*/export/model.onnx" in json.dumps(kept)


def test_init_keeps_a_pipeline_file_and_refuses_to_overwrite_workflows(project: Path) -> None:
    assert init().exit_code == 0
    (project / "pipeline.yml").write_text("name: mine\ndata: {root: data/faces}\n")
    assert init("--ci", "dvc").exit_code == 0
    assert "runs/mine/export/model.onnx" in (project / "dvc.yaml").read_text()
    with pytest.raises(UsageError, match=r"dvc\.yaml already exists"):
        CliRunner().invoke(app, ["init", "data/faces", "--ci", "dvc"], catch_exceptions=False)
    assert init("--ci", "dvc", "--force").exit_code == 0


@pytest.mark.parametrize("name", ["a b", "x${{ github.token }}", "a'b", "*"])
def test_a_path_that_a_workflow_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be named in a workflow"):
        within(tmp_path / name, tmp_path)
    with pytest.raises(UsageError, match="is not below"):
        within(tmp_path.parent, tmp_path)


def users_workflows(folder: Path) -> list[Path]:
    project = CiProject(folder, "pipeline.yml", ("data/faces",), "runs/faces")
    for name, text in project.files(CiKind.GITHUB).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [RETRAIN, COMMENT, folder / ".github/workflows/retrain.yml"]


@pytest.mark.parametrize(
    ("tool", "options"),
    [
        ("actionlint", []),
        ("check-jsonschema", ["--builtin-schema", "vendor.github-workflows"]),
        # Actions are pinned by their major version, as in the other workflows.
        ("zizmor", ["--offline", "--no-progress", "--format", "plain"]),
    ],
)
def test_linters_find_nothing(tmp_path: Path, tool: str, options: list[str]) -> None:
    beside = Path(sys.executable).parent / tool
    found = str(beside) if beside.is_file() else shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed")
    if tool == "zizmor":
        (tmp_path / "zizmor.yml").write_text('rules: {unpinned-uses: {config: {policies: {"*": ref-pin}}}}')
        options = [*options, "--config", str(tmp_path / "zizmor.yml")]
    done = subprocess.run(
        [found, *options, *users_workflows(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
