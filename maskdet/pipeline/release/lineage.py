"""What a run tells about its model: data, settings, code, figures, and where the training started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskdet import __version__
from maskdet.artefacts import BEST, BUNDLE, METRICS, PARITY, Document, read_document
from maskdet.dataset.manifest import Manifest
from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import shipped_pictures, shipped_weights, ships_model
from maskdet.errors import RegistryError
from maskdet.pipeline.running.inputs import setting_inputs
from maskdet.pipeline.running.stage import Context
from maskdet.pipeline.stages.train import started_from
from maskdet.registry.pictures import read_pictures
from maskdet.registry.records import Lineage, PictureRecord
from maskdet.registry.registry import Registry
from maskdet.registry.version import Version
from maskdet.system.files import sha256_file
from maskdet.training.start.registered import weights_name
from maskdet.training.start.starting import shipped_start

_SECTIONS: Final = ("data", "model", "train", "eval", "export")
"""What makes the model; the other sections use it."""
_COMMIT_VARIABLES: Final = ("GITHUB_SHA", "CI_COMMIT_SHA")
_GIT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class RunStart:
    """What a training started from: in words, the registered version if it is one, and what that has seen."""

    words: str
    parent: str = ""
    pictures: tuple[PictureRecord, ...] = ()


def run_lineage(context: Context, manifest: Manifest, start: RunStart, gates: Path | None) -> Lineage:
    """The lineage of the bundle in runs/<name>. Raises StageError for a damaged file of the run."""
    meta = load_bundle(context.path("export", BUNDLE)).meta
    judged = _read(context, "eval", METRICS)
    faces = {f"faces.{label}": each["truths"] for label, each in judged["classes"].items()}
    return Lineage(
        source=f"{context.folder.parent.name}/{context.folder.name}",
        parent=start.parent,
        start=start.words,
        data_sha256=manifest.data_hash,
        pictures={part: len(manifest.part(part)) for part in ("train", "val")},
        settings=_settings(context),
        checkpoint_sha256=sha256_file(context.path("train", BEST)),
        code={"maskdet": __version__, **meta.versions, **_commit(context)},
        metrics=meta.metrics,
        counts={"pictures": judged["pictures"], **faces},
        parity=_read(context, "export", PARITY),
        gates=_verdict(gates) if gates else {},
    )


def start_of_run(context: Context, registry: Registry, model: str) -> RunStart:
    """Where the run's training started: from the version that it settled on, or the one that keeps the same
    weights. Raises RegistryError.
    """
    if version := started_from(context):
        settled = registry.resolve(version)
        name = weights_name(settled)
        return RunStart(_words(name, settled.record.files[name]), settled.reference, settled.pictures())
    pretrained, shipped = context.pipeline.model.pretrained, shipped_start(context.pipeline.model)
    if shipped and not ships_model(shipped):
        return RunStart(shipped)
    path = shipped_weights(shipped) if shipped else Path(pretrained)
    if not path.is_file():
        return RunStart(str(pretrained))
    sha256 = sha256_file(path)
    words = f"the shipped weights of {shipped}" if shipped else _words(path.name, sha256)
    parent = _holder(registry, model, sha256)
    if parent is not None:
        return RunStart(words, parent.reference, parent.pictures())
    pictures = shipped_pictures(shipped) if shipped else None
    return RunStart(words, pictures=read_pictures(pictures) if pictures else ())


def _words(name: str, sha256: str) -> str:
    return f"{name} ({sha256[:12]})"


def _holder(registry: Registry, model: str, sha256: str) -> Version | None:
    """The version that keeps a file with this hash, of the same model if there is one."""
    names = sorted(registry.models(), key=lambda name: name != model)
    known = (version for name in names for version in registry.versions(name))
    return next((one for one in known if sha256 in one.record.files.values()), None)


def picture_records(manifest: Manifest) -> list[PictureRecord]:
    """The pictures of the manifest, by hash."""
    return [PictureRecord(sha256=item.sha256, phash=item.phash, part=item.part) for item in manifest.pictures]


def _settings(context: Context) -> dict[str, Any]:
    sections = {name: getattr(context.pipeline, name) for name in _SECTIONS}
    return {key: value for name, one in sections.items() for key, value in setting_inputs(name, one).items()}


def _read(context: Context, stage: str, name: str) -> Document:
    return read_document(context.path(stage, name), context.command(stage))


def _verdict(gates: Path) -> dict[str, Any]:
    """Whether the gates passed it, and each rule's verdict; the whole report is kept beside the record."""
    try:
        report = json.loads(gates.read_text(encoding="utf-8"))
        rules = {rule["name"]: rule["verdict"] for rule in report["rules"]}
        return {"passed": report["passed"], "rules": rules}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{gates} is no report of the gates: {error}", "run the gates again") from error


def _commit(context: Context) -> dict[str, str]:
    """The commit that the pipeline file's folder is at, if it is under version control."""
    for variable in _COMMIT_VARIABLES:
        if found := os.environ.get(variable):
            return {"commit": found}
    git = shutil.which("git")
    if git is None or context.file is None:
        return {}
    command = [git, "-C", str(context.file.absolute().parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no argument from outside
            command, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return {"commit": done.stdout.strip()} if done.returncode == 0 else {}
