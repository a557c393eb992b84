"""`maskdet.load`: load a model by name, path or results folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

from maskdet.api.arguments import model_path, refuse_text
from maskdet.api.detector import MaskDetector
from maskdet.detector.bundle import load_bundle
from maskdet.detector.catalogue import DEFAULT
from maskdet.detector.conclusion import rule_of
from maskdet.detector.settings import UNCERTAIN_BAND, BundleMeta
from maskdet.detector.thresholds import Threshold, with_thresholds
from maskdet.detector.verdict import MaskRule
from maskdet.errors import UsageError
from maskdet.pipeline.references.models import existing_model
from maskdet.registry.registry import Registry


def load(
    model: str | PathLike[str] | None = None,
    *,
    threshold: Threshold = None,
    device: str = "cpu",
    threads: int | None = None,
    violation_labels: Sequence[str] | None = None,
    uncertain_band: float = UNCERTAIN_BAND,
    registry: str | PathLike[str] | None = None,
) -> MaskDetector:
    """Load a model.

    >>> detector = maskdet.load()
    >>> faces = detector("photo.jpg")
    >>> faces.verdict, faces.counts
    ('violation', {'with_mask': 3, 'without_mask': 2})
    >>> faces.draw()  # the picture with its boxes, as a Pillow image

    model: the name of a face-mask model that comes with maskdet, such as "default", which None means too
        (`maskdet models list` says when to take which); the path of an .onnx file that `maskdet export`
        wrote; a results folder such as "runs/NAME", for the model exported there; or "models:NAME@ALIAS" or
        "models:NAME@NUMBER", a registered model.
    threshold: the lowest score that counts, for all labels, or a dict for some of them; by default the
        model's own, chosen on its validation pictures. A call may override it.
    device: "cpu", "gpu" or "gpu:N"; GPUs need onnxruntime-gpu.
    threads: for one picture; None for all cores. Several pictures always use all cores.
    violation_labels: labels that break the mask rule, while all others comply; by default the model's
        roles decide.
    uncertain_band: a face this far or less below its threshold makes the verdict "uncertain".
    registry: folder of the registry; by default MASKDET_REGISTRY, that of ./pipeline.yml, or ./models.

    Loading takes a fraction of a second; keep the detector. Any number of threads may share it.

    Raises UsageError for a missing file or an invalid option; StageError for a results folder without an
    exported model; RegistryError for an unknown or damaged version; BundleError for a file that is not a
    maskdet model; EnvironmentProblem if the device is missing. All are `maskdet.MaskdetError` and say what
    to do next.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads is {threads}", "pass 1 or more, or None for all cores")
    named = model_path(model or DEFAULT)
    file = existing_model(named, Registry(Path(registry)) if registry else None)
    bundle = load_bundle(file)
    bundle = replace(bundle, meta=with_thresholds(bundle.meta, threshold))
    rule = _rule(bundle.meta, violation_labels, uncertain_band)
    return MaskDetector(bundle, rule, threads=threads or 0, device=device)


def _rule(meta: BundleMeta, violations: Sequence[str] | None, band: float) -> MaskRule:
    refuse_text("violation_labels", violations)
    unknown = sorted(set(violations or ()) - set(meta.labels))
    if unknown:
        known = f"its labels are {', '.join(meta.labels)}"
        raise UsageError(f"violation_labels: the model has no label {unknown[0]!r}", known)
    if not 0 <= band <= 1:
        raise UsageError(f"uncertain_band is {band}", "pass a number between 0 and 1")
    return rule_of(meta, violations, band)
