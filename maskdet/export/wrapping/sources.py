"""What a user names: an ONNX file, or a folder that PaddleDetection or its Flask tutorial filled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.detector.model_formats import refuse_other_formats
from maskdet.errors import ExportError
from maskdet.export.message import holds_meta
from maskdet.export.wrapping.infer_config import INFER_CONFIG

_PROGRAMS: Final = ("model.json", "model.pdmodel")
"""Of Paddle's inference format: Paddle 3 and 2. No PicoDet is older."""


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """`model` is an ONNX file, or the program of Paddle's inference format."""

    model: Path
    infer_config: Path

    @property
    def is_onnx(self) -> bool:
        return _is_onnx(self.model)


def foreign_model(named: Path, infer_config: Path | None = None) -> ForeignModel:
    """Raises ExportError if there is none, or the choice is not clear; BundleError for a checkpoint."""
    if not named.exists():
        raise ExportError(
            f"{named}: no such file or folder", "name an .onnx file, or the folder of an export"
        )
    if named.is_file() and named.suffix != ".pdmodel":
        refuse_other_formats(named, named.read_bytes())
    folder = named if named.is_dir() else named.parent
    model = _in_folder(named) if named.is_dir() else named
    return ForeignModel(model, infer_config or folder / INFER_CONFIG)


def is_foreign_folder(folder: Path) -> bool:
    """Whether a folder holds an export of PaddleDetection and no bundle."""
    graphs = _onnx_files(folder)
    return (
        (folder / INFER_CONFIG).is_file()
        and bool(graphs or _programs(folder))
        and not any(holds_meta(path.read_bytes()) for path in graphs)
    )


def _in_folder(folder: Path) -> Path:
    graphs, programs = _graphs(folder), _programs(folder)
    if len(graphs) > 1:
        raise ExportError(
            f"{folder} holds several models: {', '.join(path.name for path in graphs)}", "name one of them"
        )
    if not graphs and not programs:
        raise ExportError(
            f"{folder} holds no exported model",
            f"an export has {INFER_CONFIG} and an .onnx file, or {_PROGRAMS[0]} or {_PROGRAMS[1]}",
        )
    return (graphs or programs)[0]


def _graphs(folder: Path) -> list[Path]:
    """The ONNX files that are no bundles."""
    return [path for path in _onnx_files(folder) if not holds_meta(path.read_bytes())]


def _onnx_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*")) if _is_onnx(path)]


def _is_onnx(path: Path) -> bool:
    return path.suffix.lower() == ".onnx"


def _programs(folder: Path) -> list[Path]:
    return [folder / name for name in _PROGRAMS if (folder / name).is_file()]
