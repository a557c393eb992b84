"""A weight file's metadata: the variant and the classes that it was trained for."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from maskdet.artefacts import LABEL_LIST
from maskdet.errors import TrainingError
from maskdet.settings import Section

_HEADER_KEY = "maskdet"
_MAX_HEADER = 100_000_000


class CheckpointMeta(Section):
    """The metadata of a .safetensors file of maskdet; for any other file, what little is known."""

    name: str = ""
    """The pipeline's name."""
    variant: str = ""
    """Architecture and size, such as picodet_s_416; empty where the file does not say."""
    labels: tuple[str, ...] = ()
    """Class names by class id; empty where the file does not say."""
    bundle_sha256: str = ""
    """Hash of the .onnx file that was exported from these weights."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Figures on val, such as ap50, as fractions of 1."""
    licence: str = ""

    def to_header(self) -> dict[str, str]:
        """The metadata that safetensors stores: text by text."""
        return {_HEADER_KEY: self.model_dump_json()}


def read_meta(path: Path) -> CheckpointMeta:
    """From the header of a .safetensors file, or the list of labels beside another. Raises TrainingError."""
    if path.suffix == ".safetensors":
        return _from_header(path)
    labels = path.with_name(LABEL_LIST)
    if not labels.is_file():
        return CheckpointMeta()
    try:
        lines = labels.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        fault = f"{labels} is not UTF-8 text at byte {error.start}"
        raise TrainingError(fault, "save it as UTF-8") from error
    return CheckpointMeta(labels=tuple(line for line in lines if line.strip()))


def _from_header(path: Path) -> CheckpointMeta:
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            header: dict[str, Any] = json.loads(stream.read(min(length, _MAX_HEADER)))
        return CheckpointMeta.model_validate_json(header.get("__metadata__", {}).get(_HEADER_KEY, "{}"))
    except (OSError, struct.error, ValueError, AttributeError, ValidationError) as error:
        raise TrainingError(f"{path} is damaged: {error}", "download or install it again") from error
