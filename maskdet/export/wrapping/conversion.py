"""The ONNX graph of a foreign model: read, or converted from Paddle's own format in a worker process."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from maskdet.errors import EnvironmentProblem, ExportError, TrainingError
from maskdet.export.message import holds_meta
from maskdet.export.wrapping.sources import ForeignModel
from maskdet.training.launch.failures import MORE_MEMORY, relieved_by
from maskdet.training.launch.placement import single_worker
from maskdet.training.launch.process import run_worker


def onnx_of(source: ForeignModel, python: Path | None) -> onnx.ModelProto:
    """Raises ExportError for a file that is no ONNX model or a bundle already, EnvironmentProblem if it has
    to be converted and Paddle is missing.
    """
    content = source.model.read_bytes() if source.is_onnx else _converted(source.model, python)
    if holds_meta(content):
        raise ExportError(f"{source.model} is a bundle already", "serve it with `maskdet serve --model FILE`")
    try:
        model = onnx.load_model_from_string(content)
    # Protobuf's own error, which belongs to no package that is asked for.
    except Exception as error:
        raise ExportError(f"{source.model} is not an ONNX model", "name an .onnx file") from error
    if not model.graph.node:
        raise ExportError(f"{source.model} holds no graph", "convert it again: a failed conversion is silent")
    return model


def _converted(program: Path, python: Path | None) -> bytes:
    weights = program.with_suffix(".pdiparams")
    if not weights.is_file():
        raise ExportError(f"{weights} is missing", "an export holds the program and its weights")
    with TemporaryDirectory(prefix="maskdet-") as name:
        out = Path(name) / "model.onnx"
        job = {"program": str(program.resolve()), "out": str(out)}
        try:
            with relieved_by(MORE_MEMORY):
                run_worker("maskdet.export.worker.paddle_folder", job, Path(name), single_worker(python))
        except EnvironmentProblem as error:
            raise _without_paddle(program) from error
        except TrainingError as error:
            raise ExportError(f"{program} cannot be converted: {error.what}", error.hint) from error
        return out.read_bytes()


def _without_paddle(program: Path) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"{program} is in Paddle's own format, which needs Paddle and paddle2onnx to read",
        "convert it where they are installed (`paddle2onnx --model_dir DIR --model_filename "
        f"{program.name} --params_filename {program.stem}.pdiparams --save_file model.onnx`) and name "
        "the .onnx, or name such an interpreter with --python",
    )
