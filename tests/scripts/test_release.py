"""What a release is made of: the same bytes from any place, nothing but the commit, and an honest audit."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from trained import REPO

from release import artefacts, contents, supply


class Built(NamedTuple):
    """The distributions, and the committed files with small models in the place of the real ones."""

    wheel: Path
    sdist: Path
    source: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    if not (REPO / ".git").exists():
        pytest.skip("this is no git checkout")
    folder = tmp_path_factory.mktemp("release")
    source = artefacts.exported(folder / "source")
    for model in (source / "maskdet" / "models").glob("face_mask.*"):
        model.write_bytes(b"small")
    wheel, sdist = artefacts.build_twice(source, folder, folder / "out")
    return Built(wheel, sdist, source)


def test_two_builds_are_the_same_and_hold_what_is_committed(built: Built) -> None:
    contents.check_contents(*built)
    out = built.wheel.parent
    assert {path.name for path in out.iterdir()} == {built.wheel.name, built.sdist.name}
    artefacts.write_sums(out)
    before = (out / "SHA256SUMS").read_text(encoding="utf-8")
    artefacts.write_sums(out)
    assert (out / "SHA256SUMS").read_text(encoding="utf-8") == before
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=out, check=False)
    assert done.returncode == 0


def test_a_build_that_differs_is_refused(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = iter(range(2))

    def differing(_source: Path, out: Path, _epoch: str) -> tuple[Path, Path]:
        out.mkdir()
        shutil.copy(built.sdist, out)
        (out / built.wheel.name).write_text(str(next(number)))
        return out / built.wheel.name, out / built.sdist.name

    monkeypatch.setattr(artefacts, "build", differing)
    with pytest.raises(artefacts.ReleaseError, match=rf"other bytes: {built.wheel.name}$"):
        artefacts.build_twice(built.source, tmp_path, tmp_path / "out")


@pytest.mark.parametrize(
    ("left_out", "added", "message"),
    [
        ("", "tests/test_x.py", "has what is not committed: tests/test_x.py"),
        ("", "maskdet/secret.pem", "has what is not committed: maskdet/secret.pem"),
        ("maskdet/models/face_mask.onnx", "", "lacks maskdet/models/face_mask.onnx"),
        ("licenses/LICENSE", "", "lacks .*licenses/LICENSE"),
        ("maskdet/errors.py", "maskdet/errors.py", "has other bytes in maskdet/errors.py"),
    ],
)
def test_a_wheel_with_other_files_is_refused(
    built: Built, tmp_path: Path, left_out: str, added: str, message: str
) -> None:
    changed = tmp_path / built.wheel.name
    with zipfile.ZipFile(built.wheel) as whole, zipfile.ZipFile(changed, "w") as target:
        for one in whole.namelist():
            if not (left_out and one.endswith(left_out)):
                target.writestr(one, whole.read(one))
        if added:
            target.writestr(added, "x")
    with pytest.raises(artefacts.ReleaseError, match=message):
        contents.check_contents(changed, built.sdist, built.source)


def test_a_tag_is_that_of_the_version_and_of_the_changelog(built: Built, tmp_path: Path) -> None:
    error = artefacts.ReleaseError
    version = built.wheel.name.split("-")[1]
    changes = tmp_path / "CHANGELOG.md"
    changes.write_text("## [Unreleased]\n")
    with pytest.raises(error, match=f"the tag is v9, but the version is {version}"):
        contents.check_tag("v9", built.wheel, tmp_path)
    with pytest.raises(error, match=r"CHANGELOG\.md has no section"):
        contents.check_tag(f"v{version}", built.wheel, tmp_path)
    changes.write_text(f"## [{version}] - 2026-01-31\n")
    contents.check_tag(f"v{version}", built.wheel, tmp_path)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("MIT", True),
        ("Apache Software License; MIT License", True),
        ("Apache-2.0 AND BSD-2-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True),
        ("UNKNOWN", False),
        ("MIT AND GPL-3.0-only", False),
        ("GNU General Public License v3 (GPLv3); MIT License", False),
    ],
)
def test_licences(text: str, allowed: bool) -> None:
    assert supply.is_allowed(text) is allowed


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"name": "a", "version": "1", "vulns": []}, "no known vulnerability in 1 packages"),
        ({"name": "a", "skip_reason": "not found"}, "NOT AUDITED: 1 of 1 packages are unknown to the index"),
        (None, "NOT AUDITED: runtime: the index cannot be reached"),
        ({"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}, "PYSEC-1"),
    ],
)
def test_only_an_answer_counts_as_an_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any] | None, outcome: str
) -> None:
    answer = (
        "sys.exit('the index cannot be reached')"
        if said is None
        else f"print({json.dumps({'dependencies': [said]})!r})"
    )
    # As the real one does not, where two locks have different releases of a package.
    one_lock = "assert sys.argv.count('-r') == 1"
    (tmp_path / "pip_audit.py").write_text(f"import sys\n{one_lock}\n{answer}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    error = artefacts.ReleaseError
    if "PYSEC" in outcome:
        with pytest.raises(error, match=outcome):
            supply.audit(tmp_path, required=False)
        return
    assert supply.audit(tmp_path, required=False).startswith(outcome)
    if "NOT" in outcome:
        with pytest.raises(error, match="not audited"):
            supply.audit(tmp_path, required=True)
    assert json.loads((tmp_path / "audit.json").read_text())["vulnerable"] == {}
