"""Model files of other formats than ONNX, told from their names and first bytes. None is ever unpickled."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from maskdet.errors import BundleError

_TORCH: Final = (
    "a checkpoint of PyTorch",
    "export it where it was trained, for Ultralytics with `yolo export model=FILE format=onnx`, and then "
    "`maskdet inspect` the .onnx",
)
_TRAINED: Final = (
    "a training checkpoint",
    "`maskdet export` makes a bundle of a training; to train from the file, set model.pretrained to its path",
)
_PADDLE: Final = (
    "half of an export in Paddle's own format",
    "`maskdet bundle FOLDER` with the folder that holds it and infer_cfg.yml",
)
_BY_SUFFIX: Final = {
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".pdparams": _TRAINED,
    ".safetensors": _TRAINED,
    ".pdiparams": _PADDLE,
    ".pdmodel": _PADDLE,
}
_ZIP: Final = b"PK\x03\x04"
"""How PyTorch's checkpoints begin since 1.6; no ONNX model does."""


def refuse_other_formats(path: Path, content: bytes) -> None:
    """Raises BundleError, with the way to a bundle, if the file is of a known format that is not ONNX."""
    known = _BY_SUFFIX.get(path.suffix.lower()) or (_TORCH if content.startswith(_ZIP) else None)
    if known is not None:
        form, way = known
        hint = way.replace("FILE", shlex.quote(str(path)))
        raise BundleError(f"{path}: the file is {form}, not an ONNX model", hint)
