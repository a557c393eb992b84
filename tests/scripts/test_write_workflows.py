"""The repository's own workflows, and the checks before a commit: one source, and few rights."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from trained import REPO
from workflow_steps import read_workflow

from write_workflows.__main__ import ACTIONS, files

WORKFLOWS = REPO / ".github" / "workflows"
RELEASE, TESTS = WORKFLOWS / "release.yml", WORKFLOWS / "tests.yml"


def test_what_is_committed_is_what_the_script_writes() -> None:
    for name, text in files().items():
        assert (REPO / name).read_text(encoding="utf-8") == text, f"run scripts/write_workflows for {name}"
        assert "@checkout@" not in text


def test_actions_that_publish_are_named_by_commit() -> None:
    used = re.findall(r"uses: (.+)", RELEASE.read_text(encoding="utf-8"))
    assert set(used) == set(ACTIONS.values())
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)


def test_who_may_publish_runs_nothing_of_the_repository() -> None:
    workflow = read_workflow(RELEASE)
    assert workflow["permissions"] == {}
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"]
        uses = [step.get("uses", "").partition("@")[0] for step in job["steps"]]
        if job["permissions"] != {"contents": "read"}:
            assert "actions/checkout" not in uses, name
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
    assert workflow["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert workflow["jobs"]["publish"]["environment"] == "pypi"
    assert "secrets." not in RELEASE.read_text(encoding="utf-8")


def test_a_release_fails_if_it_is_not_audited_or_has_another_tag() -> None:
    build = read_workflow(RELEASE)["jobs"]["build"]
    assert build["env"]["RELEASE_TAG"] == "${{ github.ref_name }}"
    assert "make release-check ARGS=--require-audit" in [step.get("run") for step in build["steps"]]


def test_every_supported_python_and_system_is_tried() -> None:
    jobs = read_workflow(TESTS)["jobs"]
    text = (REPO / "pyproject.toml").read_text(encoding="utf-8")
    supported = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)
    assert jobs["light"]["strategy"]["matrix"]["python"] == supported
    assert jobs["wheel"]["strategy"]["matrix"]["python"] == supported
    systems = [name.partition("-")[0] for name in jobs["wheel"]["strategy"]["matrix"]["system"]]
    assert systems == ["ubuntu", "macos", "windows"]
    targets = (REPO / "Makefile").read_text(encoding="utf-8")
    for job in jobs.values():
        for command in (step["run"] for step in job["steps"] if step.get("run", "").startswith("make ")):
            assert f"\n{shlex.split(command)[1]}:" in targets, command


def test_a_commit_is_checked_as_make_lint_does() -> None:
    recipe = (REPO / "Makefile").read_text(encoding="utf-8").partition("\nlint: ")[2].partition("\n\n")[0]
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()[1:]]
    config = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    [local] = config["repos"]
    assert local["repo"] == "local"
    assert [hook["entry"] for hook in local["hooks"]] == commands


@pytest.mark.parametrize(
    ("tool", "files", "options"),
    [
        ("check-jsonschema", [RELEASE, TESTS], ["--builtin-schema", "vendor.github-workflows"]),
        ("zizmor", [RELEASE], ["--offline", "--no-progress", "--format", "plain"]),
    ],
)
def test_linters_find_nothing(tool: str, files: list[Path], options: list[str]) -> None:
    found = Path(sys.executable).parent / tool
    if not found.is_file():
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([found, *options, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
