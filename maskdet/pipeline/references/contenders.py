"""What can be compared: a run by its name or folder, and a bundle by its file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from maskdet.artefacts import MANIFEST, METRICS, document_if_any
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.detector.bundle import load_bundle
from maskdet.detector.shipped import naming_hint
from maskdet.errors import StageError, UsageError
from maskdet.export.figures import bundle_figures
from maskdet.pipeline.references.models import model_file
from maskdet.pipeline.running.cache import RECORDS
from maskdet.reporting.comparison import Contender
from maskdet.reporting.figures import Figure, figures_of, stated_figures

_PLACES: Final = frozenset({"name", "data.root", "results folder"})
"""Inputs that say what a run is called and where it lies, not what it is."""
_DATA: Final = "data, sha256"
_FILES: Final = {"file model.pretrained": "model.pretrained, sha256"}
"""Files beside the data that are inputs of the whole run, and their names; others follow from these."""


def read_contenders(named: list[str], runs: Path) -> list[Contender]:
    """In their order. Raises UsageError for an unknown or repeated name, StageError without figures."""
    if len(named) < 2 or len(set(named)) < len(named):
        raise UsageError(
            "compare takes two or more different runs", "name results folders below runs/, or bundles"
        )
    found = [read_contender(each, runs) for each in named]
    known = {each.settings.get(_DATA): each.val for each in found if each.tells_all}
    # A bundle states only the manifest that it was made from.
    return [each if each.tells_all else replace(each, val=known.get(each.val, each.val)) for each in found]


def read_contender(named: str, runs: Path) -> Contender:
    """A results folder, its name below `runs`, or any model as `model_file` takes it."""
    for folder in (Path(named), runs / named):
        if (folder / RECORDS).is_dir():
            return _run(named, folder)
    file = model_file(Path(named))
    if not file.is_file():
        hint = naming_hint(named, f"a run, one of the folders in {runs}, a bundle")
        raise UsageError(f"{named}: no such run or bundle", hint)
    return _bundle(named, file)


def _run(named: str, folder: Path) -> Contender:
    judged = document_if_any(folder / "eval" / METRICS, "maskdet eval --force")
    if judged is None:
        raise StageError(f"{named}: {folder / 'eval' / METRICS} is missing", "`maskdet run` evaluates it")
    manifest = load_manifest(folder / "prepare" / MANIFEST)
    thresholds = {label: each["threshold"] for label, each in judged["classes"].items()}
    settings = {**_settings(folder), _DATA: manifest.data_hash, **_threshold_settings(thresholds)}
    return Contender(named, _run_figures(judged), settings, _val_hash(manifest))


def _run_figures(judged: dict[str, Any]) -> dict[str, Figure]:
    """Those of metrics.json, then what a bundle states beside: the promise and the error of the scores."""
    measured = figures_of(judged)
    stated = stated_figures(bundle_figures(judged))
    return measured | {name: figure for name, figure in stated.items() if name not in measured}


def _bundle(named: str, file: Path) -> Contender:
    meta = load_bundle(file).meta
    settings = {
        "model.variant": meta.variant,
        _DATA: meta.manifest_sha256,
        **_threshold_settings(meta.thresholds),
    }
    return Contender(named, stated_figures(meta.metrics), settings, meta.manifest_sha256, tells_all=False)


def _threshold_settings(thresholds: Mapping[str, float]) -> dict[str, Any]:
    return {f"threshold.{label}": score for label, score in thresholds.items()}


def _settings(folder: Path) -> dict[str, Any]:
    """The inputs of all stages, as they were when each last ran."""
    settings: dict[str, Any] = {}
    for path in sorted((folder / RECORDS).glob("*.json")):
        record: Mapping[str, Any] = document_if_any(path, f"maskdet {path.stem} --force") or {}
        settings.update(record.get("inputs", {}))
    return {_FILES.get(name, name): value for name, value in settings.items() if _matters(name)}


def _matters(name: str) -> bool:
    return name in _FILES if name.startswith("file ") else name not in _PLACES


def _val_hash(manifest: Manifest) -> str:
    """Identifies the val pictures and their labels, whatever else the manifest holds."""
    pictures = manifest.part("val")
    told = sorted(
        (each.sha256, [(one.label, one.box, one.difficult) for one in each.objects]) for each in pictures
    )
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
