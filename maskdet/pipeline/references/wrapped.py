"""A folder of PaddleDetection's, or of its Flask tutorial, as a bundle that is made once and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from maskdet import __version__
from maskdet.errors import EnvironmentProblem, UsageError
from maskdet.export.wrapping.sources import foreign_model, is_foreign_folder
from maskdet.extras import require
from maskdet.system.files import sha256_file
from maskdet.training.start.published import CACHE_VARIABLE, cache_folder
from maskdet.wording.commands import command_line


def require_onnx() -> None:
    """Raises EnvironmentProblem if the package that rewrites graphs is missing."""
    require("bundle", "onnx", asks="wrapping another tool's model needs")


def wrapped_folder(folder: Path) -> Path | None:
    """The bundle of the export in a folder, from the cache if it was made before; None if there is no export.

    Raises ExportError for one that no bundle can hold, UsageError where the class names leave a question.
    """
    if not is_foreign_folder(folder):
        return None
    source = foreign_model(folder)
    kept = (
        cache_folder() / "bundles" / f"{source.model.stem}-{_digest(source.model, source.infer_config)}.onnx"
    )
    if not kept.is_file():
        require_onnx()
        _make(folder, kept)
    return kept


def _make(folder: Path, kept: Path) -> None:
    # The onnx package is loaded only where a model has to be wrapped.
    from maskdet.export.wrapping.wrapping import WrapJob, wrap  # noqa: PLC0415

    source = foreign_model(folder)
    by_hand = command_line("bundle", folder, "-o", "FILE")
    try:
        wrap(WrapJob(source, name=source.model.stem), kept)
    except UsageError as error:
        raise UsageError(f"{folder}: {error.what}", f"`{by_hand}` with that: {error.hint}") from error
    except OSError as error:
        raise EnvironmentProblem(
            f"{kept} cannot be written: {error.strerror or error}",
            f"set {CACHE_VARIABLE} to another folder, or use `{by_hand}`",
        ) from error


def _digest(*files: Path) -> str:
    """Of the files and of the release that wraps them."""
    parts = [__version__, *(sha256_file(file) for file in files)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]
