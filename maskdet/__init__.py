"""maskdet: from a Pascal VOC folder to a running face-mask detection service.

    import maskdet

    detector = maskdet.load()                 # the shipped model, an .onnx file, or runs/NAME
    faces = detector("photo.jpg")             # or bytes, a Pillow image, an RGB array; or several
    faces.verdict, faces.counts, faces[0].label, faces[0].score, faces[0].box
    faces.draw(), faces.to_dict(), faces.to_csv(), faces.to_pandas(), faces.to_supervision()

    maskdet.run("pipeline.yml", overrides=["train.epochs=5"])

`help(maskdet.load)` explains each option. Nothing heavy is imported before it is used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskdet.api.detector import MaskDetector
    from maskdet.api.faces import Face, Faces
    from maskdet.api.load import load
    from maskdet.api.results import (
        EvaluateResult,
        ExportResult,
        PrepareResult,
        RunSummary,
        TrainResult,
    )
    from maskdet.api.server import Server, serve
    from maskdet.api.verbs import evaluate, export_model, prepare, run, train
    from maskdet.errors import (
        BundleError,
        DatasetError,
        EnvironmentProblem,
        ExportError,
        Interrupted,
        MaskdetError,
        PictureError,
        PipelineFileError,
        RegistryError,
        ServingError,
        StageError,
        TrainingError,
        UsageError,
    )

__version__ = "0.1.0"

# ONNX Runtime sends usage data to its maker unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "BundleError",
    "DatasetError",
    "EnvironmentProblem",
    "EvaluateResult",
    "ExportError",
    "ExportResult",
    "Face",
    "Faces",
    "Interrupted",
    "MaskDetector",
    "MaskdetError",
    "PictureError",
    "PipelineFileError",
    "PrepareResult",
    "RegistryError",
    "RunSummary",
    "Server",
    "ServingError",
    "StageError",
    "TrainResult",
    "TrainingError",
    "UsageError",
    "__version__",
    "evaluate",
    "export_model",
    "load",
    "prepare",
    "run",
    "serve",
    "train",
]

_HOMES = {
    "maskdet.api.detector": ("MaskDetector",),
    "maskdet.api.faces": ("Face", "Faces"),
    "maskdet.api.load": ("load",),
    "maskdet.api.results": ("EvaluateResult", "ExportResult", "PrepareResult", "RunSummary", "TrainResult"),
    "maskdet.api.server": ("Server", "serve"),
    "maskdet.api.verbs": ("evaluate", "export_model", "prepare", "run", "train"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:
    # Type checkers know the names from above, and so notice one that is misspelt.
    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOME_OF.get(name, "maskdet.errors")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
