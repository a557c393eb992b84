"""The list of val comes back from the registry where a checkout has brought back an older one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import write_tiny_bundle

from maskdet.artefacts import MANIFEST
from maskdet.cli.run import run as command
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.dataset.splitting.frozen import FrozenVal, read_frozen
from maskdet.errors import FolderInUse, RegistryError, TrainingError
from maskdet.inbox.audit import AuditLog
from maskdet.pipeline.ci.val_list import complete_val_list
from maskdet.pipeline.doctor.drawing import draw_data_set
from maskdet.pipeline.file.schema import PipelineFile
from maskdet.pipeline.forgetting.removal import LOG
from maskdet.pipeline.references.models import registry_of
from maskdet.pipeline.release.lineage import picture_records
from maskdet.pipeline.running.lock import run_lock
from maskdet.pipeline.running.outcome import RunOptions, RunResult, State
from maskdet.pipeline.running.run import run_stages
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages.prepare import STAGE as PREPARE
from maskdet.registry.records import Lineage, PictureRecord

LIST = "pipeline.val.json"
GONE = PictureRecord(sha256="ab" * 32, phash="", part="val")


def context_of(root: Path, *, name: str = LIST, seed: int = 0) -> Context:
    data = {"root": root / "faces", "frozen_val": root / name, "split": {"seed": seed}}
    pipeline = PipelineFile(name="faces", data=data, registry={"root": root / "models"})
    return Context(pipeline, root / "runs" / "faces")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    draw_data_set(tmp_path / "faces", 20)
    return tmp_path


def prepared(context: Context) -> tuple[State, Manifest]:
    result = run_stages((PREPARE,), context, RunOptions())
    assert result.error is None
    return result.outcomes[0].state, load_manifest(context.path("prepare", MANIFEST))


def register(
    context: Context, pictures: list[PictureRecord], *, listed: str | None = f"/builds/7/{LIST}"
) -> None:
    """As a job in a checkout elsewhere does; each bundle has bytes of its own."""
    folder = context.folder.parents[1]
    count = len(list(folder.glob("*.onnx")))
    bundle = write_tiny_bundle(folder / f"{count}.onnx", metrics={"ap50": count / 100})
    settings = {"data.frozen_val": listed}
    registry_of(context).register("faces", bundle, Lineage(settings=settings), pictures=pictures)


def parts(manifest: Manifest) -> dict[str, str]:
    return {one.sha256: one.part for one in manifest.pictures}


def first_job(root: Path) -> tuple[Context, Manifest]:
    """Prepares and registers; its list is lost."""
    context = context_of(root)
    _, manifest = prepared(context)
    register(context, picture_records(manifest))
    (root / LIST).unlink()
    return context, manifest


def test_what_one_job_dealt_the_next_deals_alike_whatever_was_committed(project: Path) -> None:
    _, first = first_job(project)
    anew = prepared(context_of(project, name="other.json", seed=7))[1]
    assert parts(anew) != parts(first)
    second = context_of(project, seed=7)
    assert complete_val_list(second) == len(first.part("val"))
    assert parts(prepared(second)[1]) == parts(first)


def test_the_job_after_the_next_has_nothing_to_prepare(project: Path) -> None:
    context, _ = first_job(project)
    states, texts = [], []
    for _ in range(3):
        (project / LIST).unlink(missing_ok=True)
        complete_val_list(context)
        states.append(prepared(context)[0])
        texts.append((project / LIST).read_bytes())
    assert states[1:] == [State.UP_TO_DATE] * 2
    assert texts[0] == texts[1] == texts[2]


def test_a_committed_list_is_kept_as_it_is_and_only_grows(project: Path) -> None:
    context = context_of(project)
    _, manifest = prepared(context)
    whole = read_frozen(project / LIST)
    register(context, [*picture_records(manifest), GONE])
    committed = FrozenVal(whole.val[1:], whole.train[:3])
    committed.write(project / LIST)
    assert complete_val_list(context) == 2
    found = read_frozen(project / LIST)
    assert found.val[: len(committed.val)] == committed.val
    assert {one.sha256 for one in found.val} == {*(one.sha256 for one in whole.val), GONE.sha256}
    assert set(found.train) == set(whole.train)
    lost = next(one for one in found.val if one.sha256 == whole.val[0].sha256)
    assert (lost.picture, lost.root, lost.phash) == (
        whole.val[0].picture,
        whole.val[0].root,
        whole.val[0].phash,
    )
    # No name is known of what is neither in the data nor among the results.
    unnamed = next(one for one in found.val if one.sha256 == GONE.sha256)
    assert (unnamed.picture, unnamed.root) == ("abababababababab", "models:faces@1")
    before = (project / LIST).stat().st_mtime_ns
    assert complete_val_list(context) == 0
    assert (project / LIST).stat().st_mtime_ns == before


def test_pictures_of_all_versions_come_back_also_without_the_results(project: Path) -> None:
    context, manifest = first_job(project)
    register(context, [GONE])
    context.path("prepare", MANIFEST).unlink()
    assert complete_val_list(context) == len(manifest.part("val")) + 1
    assert parts(prepared(context)[1]) == parts(manifest)


@pytest.mark.parametrize("listed", [None, "/builds/7/former.val.json"])
def test_versions_of_another_list_or_of_none_bring_nothing(project: Path, listed: str | None) -> None:
    context = context_of(project)
    register(context, [GONE], listed=listed)
    assert complete_val_list(context) == 0
    assert not (project / LIST).exists()


def test_what_only_the_start_of_a_training_has_seen_is_not_of_this_list(project: Path) -> None:
    context = context_of(project)
    register(context, [GONE.model_copy(update={"inherited": True})])
    assert complete_val_list(context) == 0


def test_without_a_list_or_a_registry_there_is_nothing_to_bring(project: Path) -> None:
    context = context_of(project)
    assert complete_val_list(context) == 0
    data = context.pipeline.data.model_copy(update={"frozen_val": None})
    register(context, [GONE])
    unlisted = replace(context, pipeline=context.pipeline.model_copy(update={"data": data}))
    assert complete_val_list(unlisted) == 0


def test_of_a_forgotten_picture_no_likeness_comes_back(project: Path) -> None:
    context, manifest = first_job(project)
    first, *_ = manifest.part("val")
    assert first.phash
    AuditLog(context.folder.parent, LOG).write("forgotten", sha256=[first.sha256], by="anna")
    complete_val_list(context)
    found = {one.sha256: one.phash for one in read_frozen(project / LIST).val}
    assert found[first.sha256] == ""
    assert sum(not phash for phash in found.values()) == 1


def test_a_damaged_version_is_no_reason_to_forget_what_was_val(project: Path) -> None:
    context, _ = first_job(project)
    (project / "models" / "faces" / "versions" / "0001" / "pictures.json").write_text("{")
    with pytest.raises(RegistryError, match=r"pictures\.json"):
        complete_val_list(context)


def test_the_job_completes_the_list_before_it_prepares_and_says_so(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    _, manifest = first_job(project)
    monkeypatch.chdir(project)
    (project / "pipeline.yml").write_text(f"name: faces\ndata: {{root: faces, frozen_val: {LIST}}}\n")
    listed = []

    def stages(*_: Any, **__: Any) -> RunResult:
        listed.extend(one.sha256 for one in read_frozen(project / LIST).val)
        return RunResult([], error=TrainingError("out of memory"))

    monkeypatch.setattr("maskdet.pipeline.running.run.run_stages", stages)
    with pytest.raises(TrainingError):
        command(ci=True)
    val = [one.sha256 for one in manifest.part("val")]
    assert sorted(listed) == sorted(val)
    said = capsys.readouterr().out
    assert f"{LIST} has changed: commit it" in said
    assert f"it lacked {len(val)} that earlier jobs had added" in said


def test_a_second_job_leaves_the_list_to_the_one_that_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, _ = first_job(project)
    monkeypatch.chdir(project)
    (project / "pipeline.yml").write_text(f"name: faces\ndata: {{root: faces, frozen_val: {LIST}}}\n")
    with run_lock(context.folder), pytest.raises(FolderInUse):
        command(ci=True)
    assert not (project / LIST).exists()
