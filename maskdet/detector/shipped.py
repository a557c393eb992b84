"""The models that are part of the package: bundles to detect with, and their weights to train from."""

from __future__ import annotations

from pathlib import Path

from maskdet.detector.catalogue import DEFAULT, FAMILY
from maskdet.errors import EnvironmentProblem
from maskdet.system.files import sha256_file
from maskdet.wording.names import did_you_mean

_FOLDER = Path(__file__).resolve().parents[1] / "models"


def ships_model(name: str = DEFAULT) -> bool:
    """Whether this build ships a model of this name."""
    return name in FAMILY and (_FOLDER / FAMILY[name].bundle).is_file()


def shipped_names() -> tuple[str, ...]:
    """Of the models that this build has, in the order of the catalogue."""
    return tuple(filter(ships_model, FAMILY))


def shipped_model(name: str = DEFAULT) -> Path:
    """The bundle. Raises EnvironmentProblem if this build has none of this name."""
    return _shipped(name, FAMILY[name].bundle, "name an exported .onnx instead")


def shipped_weights(name: str = DEFAULT) -> Path:
    """The weights of the bundle. Raises EnvironmentProblem if this build has none of this name."""
    return _shipped(
        name,
        FAMILY[name].weights,
        "set model.pretrained to coco, imagenet, none or the path of a .pdparams file",
    )


def shipped_pictures(name: str = DEFAULT) -> Path | None:
    """Hashes of the pictures that it was trained and validated on, None if this build has none."""
    path = _FOLDER / FAMILY[name].pictures
    return path if path.is_file() else None


def shipped_as(bundle_sha256: str) -> str | None:
    """The name of the shipped model whose bundle has this hash, None if there is none."""
    known = (name for name in shipped_names() if sha256_file(shipped_model(name)) == bundle_sha256)
    return next(known, None)


def naming_hint(named: str, others: str) -> str:
    """What to do about an unknown name: what may be meant, and what else there is beside the `others`."""
    names = shipped_names()
    shipped = f", or a shipped model: {', '.join(names)}" if names else ""
    return f"{did_you_mean(named, names)} name {others}{shipped}".lstrip()


def _shipped(name: str, file: str, hint: str) -> Path:
    path = _FOLDER / file
    if not path.is_file():
        raise EnvironmentProblem(f"this build of maskdet ships no {name} model: {path} is missing", hint)
    return path
