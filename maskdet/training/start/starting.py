"""Where a training starts: finds the weights that `model.pretrained` names, and downloads published ones.

Parent side; the worker decides what fits the network (maskdet.training.start.transfer).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskdet.detector.catalogue import FAMILY
from maskdet.detector.shipped import shipped_weights
from maskdet.errors import PipelineFileError, StageError
from maskdet.progress import Track, silent
from maskdet.registry.reference import is_reference
from maskdet.system.files import sha256_file
from maskdet.training.networks.registry import VARIANTS, variant
from maskdet.training.settings import STARTS, ModelSettings
from maskdet.training.start.checkpoint_meta import CheckpointMeta, read_meta
from maskdet.training.start.published import PUBLISHED, Published, cached_file, published_url
from maskdet.training.start.registered import registered_weights
from maskdet.wording.lexicon import Role
from maskdet.wording.names import did_you_mean


@dataclass(frozen=True, slots=True)
class Start:
    """Weights on this machine. `labels` are their classes by class id, () if the file does not say;
    `roles` those of the data's classes that their names do not imply.
    """

    name: str
    path: Path
    labels: tuple[str, ...]
    class_map: dict[str, str | None]
    roles: dict[str, Role] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Fingerprint of what a training's first weights depend on."""
        classes = json.dumps([self.labels, self.class_map]) if self.labels or self.class_map else ""
        roles = json.dumps(self.roles) if self.labels and self.roles else ""
        return sha256_file(self.path) + classes + roles

    def to_job(self) -> dict[str, Any]:
        """The job entry for the worker."""
        return {
            "name": self.name,
            "path": str(self.path),
            "labels": list(self.labels),
            "class_map": self.class_map,
            "roles": self.roles,
        }


def start_of(
    model: ModelSettings, roles: Mapping[str, Role] | None = None, registry: Path | None = None
) -> Start | None:
    """The weights to start from, None for random ones; `roles` as in `Start`; registry: its folder.

    Raises PipelineFileError for a path without a file or for weights of another architecture, StageError for
    published weights not yet downloaded, EnvironmentProblem if this build lacks the shipped model, and like
    `registered_weights`.
    """
    if model.pretrained == "none":
        return None
    name, path, meta = _found(model, registry)
    if meta.variant:
        _require_kin(model, meta.variant)
    return Start(name, path, meta.labels, dict(model.class_map), dict(roles or {}))


def published_start(model: ModelSettings) -> Published | None:
    """The published weights named in the settings, if any."""
    return PUBLISHED.get(str(model.pretrained))


def shipped_start(model: ModelSettings) -> str | None:
    """The name of the shipped model whose weights the settings name, if any."""
    return str(model.pretrained) if str(model.pretrained) in FAMILY else None


def fetch_start(
    model: ModelSettings, *, track: Track = silent, say: Callable[[str], None] = lambda line: None
) -> None:
    """Download published weights into the cache, if the settings name some that are missing.

    Raises EnvironmentProblem if they cannot be downloaded.
    """
    which = published_start(model)
    if which is None or cached_file(which, model.variant).is_file():
        return
    from maskdet.training.start.downloads import download  # noqa: PLC0415 - the HTTP client is needed only once

    url, target = published_url(which, model.variant), cached_file(which, model.variant)
    say(f"downloading {url} to {target}")
    download(url, target, track=track)


def _found(model: ModelSettings, registry: Path | None) -> tuple[str, Path, CheckpointMeta]:
    if is_reference(str(model.pretrained)):
        return registered_weights(str(model.pretrained), registry)
    path = _path(model)
    return str(model.pretrained), path, read_meta(path)


def _path(model: ModelSettings) -> Path:
    if shipped := shipped_start(model):
        return shipped_weights(shipped)
    which = published_start(model)
    path = cached_file(which, model.variant) if which else Path(model.pretrained)
    if path.is_file():
        return path
    if which:
        raise StageError(f"{path} is not downloaded yet", "`maskdet train` downloads it")
    raise _missing(path)


def _missing(path: Path) -> PipelineFileError:
    words = (*STARTS, *FAMILY)
    hint = f"{did_you_mean(path.name, words)} name a weight file, or one of {', '.join(words)}"
    return PipelineFileError(f"model.pretrained: {path} does not exist", hint.lstrip())


def _require_kin(model: ModelSettings, other: str) -> None:
    if other not in VARIANTS:
        raise PipelineFileError(
            f"model.pretrained: {model.pretrained} is {other}, which this version of maskdet does not know",
            "name other weights, or install the version of maskdet that trained them",
        )
    wanted, found = variant(model.variant), variant(other)
    if wanted.weights_of(found):
        return
    raise PipelineFileError(
        f"model.pretrained: {model.pretrained} is {other} ({found.backbone} {found.scale:g}), "
        f"model.variant is {model.variant} ({wanted.backbone} {wanted.scale:g}): another architecture",
        f"set model.variant to {other} (any input side of it fits), or model.pretrained to coco or none",
    )
