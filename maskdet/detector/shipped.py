"""The model that is part of the package: a bundle to detect with, and its weights to train from."""

from __future__ import annotations

from pathlib import Path

from maskdet.errors import EnvironmentProblem

DEFAULT = "default"
"""Its name in `--model` and `model.pretrained`."""
MODEL_NAME = "face_mask.onnx"
WEIGHTS_NAME = "face_mask.safetensors"
PICTURES_NAME = "face_mask.pictures.json.gz"
_FOLDER = Path(__file__).resolve().parents[1] / "models"


def ships_model() -> bool:
    """Whether this build ships one."""
    return (_FOLDER / MODEL_NAME).is_file()


def shipped_model() -> Path:
    """The bundle. Raises EnvironmentProblem if this build has none."""
    return _shipped(MODEL_NAME, "name an exported .onnx instead")


def shipped_weights() -> Path:
    """The weights of the bundle. Raises EnvironmentProblem if this build has none."""
    return _shipped(
        WEIGHTS_NAME, "set model.pretrained to coco, imagenet, none or the path of a .pdparams file"
    )


def shipped_pictures() -> Path | None:
    """Hashes of the pictures that it was trained and validated on, None if this build has none."""
    path = _FOLDER / PICTURES_NAME
    return path if path.is_file() else None


def _shipped(name: str, hint: str) -> Path:
    path = _FOLDER / name
    if not path.is_file():
        raise EnvironmentProblem(f"this build of maskdet ships no default model: {path} is missing", hint)
    return path
