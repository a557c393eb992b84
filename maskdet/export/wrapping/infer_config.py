"""PaddleDetection's infer_cfg.yml: what its deploy scripts do to a picture, and the names of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

import yaml

from maskdet.detector.settings import Interpolation
from maskdet.errors import ExportError

INFER_CONFIG: Final = "infer_cfg.yml"
MAX_BYTES: Final = 1 << 20
_STRIDES: Final = (8, 16, 32, 64)
_INTERPOLATIONS: Final = get_args(Interpolation)
_EXPORT_AGAIN: Final = "export the model again with PicoDet's published reader settings"
_Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Suppression:
    """The NMS that PaddleDetection's deploy scripts apply where the graph has none."""

    score_threshold: float = 0.4
    iou_threshold: float = 0.5
    top_k: int = 1000
    keep: int = 100


@dataclass(frozen=True, slots=True)
class InferConfig:
    """`input_size` is (height, width); mean and std are RGB on a 0..1 scale; `strides` in pixels.

    Without NormalizeImage (fuse_normalize) the graph takes 0..255, so mean is 0 and std 1 / 255.
    """

    path: Path
    labels: tuple[str, ...] = ()
    draw_threshold: float = 0.5
    input_size: tuple[int, int] = (0, 0)
    interpolation: Interpolation = "linear"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1 / 255, 1 / 255, 1 / 255)
    nms: Suppression = Suppression()
    strides: tuple[int, ...] = _STRIDES


def read_infer_config(path: Path) -> InferConfig:
    """Raises ExportError for a file that is missing or damaged, or has a step that no bundle can take."""
    document = _document(path)
    try:
        config = _of_document(path, document)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ExportError(
            f"{path}: {_described(error)}", f"take the {INFER_CONFIG} that export_model.py wrote"
        ) from error
    if not config.input_size[0]:
        raise ExportError(f"{path}: Preprocess has no Resize with a target_size", _EXPORT_AGAIN)
    return config


def _document(path: Path) -> _Values:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ExportError(f"{path} is larger than {MAX_BYTES >> 20} MiB", f"name an {INFER_CONFIG}")
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(
            f"{path}: {error.strerror or error}",
            f"name PaddleDetection's {INFER_CONFIG} with --infer-cfg; it lies beside the exported model",
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise ExportError(
            f"{path} is not plain YAML: {' '.join(str(error).split())[:200]}", "write it again"
        ) from error
    if not isinstance(document, dict) or not isinstance(document.get("Preprocess"), list):
        raise ExportError(
            f"{path} has no list Preprocess, so it is not PaddleDetection's {INFER_CONFIG}",
            "name the file that export_model.py wrote beside the model",
        )
    return document


def _of_document(path: Path, document: _Values) -> InferConfig:
    nms = document.get("NMS") or {}
    if not isinstance(nms, dict):
        raise TypeError(f"NMS is {nms!r:.40} and no mapping of `key: value`")
    own = Suppression()
    config = InferConfig(
        path=path,
        labels=tuple(map(str, document.get("label_list") or ())),
        draw_threshold=float(document.get("draw_threshold", 0.5)),
        nms=Suppression(
            float(nms.get("score_threshold", own.score_threshold)),
            float(nms.get("nms_threshold", own.iou_threshold)),
            int(nms.get("nms_top_k", own.top_k)),
            int(nms.get("keep_top_k", own.keep)),
        ),
        strides=tuple(int(stride) for stride in document.get("fpn_stride") or _STRIDES),
    )
    for step in document["Preprocess"]:
        kind = str(step["type"])
        if kind not in _STEPS:
            raise ExportError(
                f"{path}: Preprocess has the step {kind}; a bundle knows {', '.join(_STEPS)}", _EXPORT_AGAIN
            )
        config = _STEPS[kind](config, step)
    return replace(config, nms=_bounded(config))


def _bounded(config: InferConfig) -> Suppression:
    """Paddle keeps all for a limit below 1: at most one box for each anchor and class."""
    height, width = config.input_size
    anchors = sum(-(-height // stride) * -(-width // stride) for stride in config.strides)
    nms, most = config.nms, anchors * max(1, len(config.labels))
    return replace(
        nms,
        top_k=nms.top_k if nms.top_k > 0 else anchors,
        keep=nms.keep if nms.keep > 0 else most,
    )


def _resized(config: InferConfig, step: _Values) -> InferConfig:
    target = step["target_size"]
    height, width = (target, target) if isinstance(target, int) else (int(target[0]), int(target[1]))
    interp = int(step.get("interp", 1))
    if not 0 <= interp < len(_INTERPOLATIONS):
        raise ValueError(f"Resize has interp {interp}, which is not one of OpenCV's 0 to 4")
    if min(height, width) < 1:
        raise ValueError(f"Resize has target_size {target}")
    # Left out, PaddleDetection keeps the ratio.
    if step.get("keep_ratio", True):
        raise ExportError(
            f"{config.path}: Resize has keep_ratio: true, so the network's input changes with the picture; a "
            "bundle stretches each picture to one size, as PicoDet's published readers do",
            "if the model was trained with keep_ratio: false, say so in the file; else train it so, and "
            "export again",
        )
    return replace(config, input_size=(height, width), interpolation=_INTERPOLATIONS[interp])


def _normalised(config: InferConfig, step: _Values) -> InferConfig:
    # On PaddleDetection's own scale the pixels are 0..255 unless is_scale.
    scale = 1.0 if step.get("is_scale", True) else 255.0
    plain = step.get("norm_type", "mean_std") == "none"
    mean = (0.0,) * 3 if plain else tuple(float(value) / scale for value in step["mean"])
    std = (1 / scale,) * 3 if plain else tuple(float(value) / scale for value in step["std"])
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(f"NormalizeImage has mean {step.get('mean')} and std {step.get('std')}")
    return replace(config, mean=(mean[0], mean[1], mean[2]), std=(std[0], std[1], std[2]))


def _permuted(config: InferConfig, step: _Values) -> InferConfig:
    if step.get("to_bgr", False) or not step.get("channel_first", True):
        raise ExportError(
            f"{config.path}: Permute has to_bgr or channel_first: false; PicoDet takes RGB, channels first",
            _EXPORT_AGAIN,
        )
    return config


def _padded(config: InferConfig, step: _Values) -> InferConfig:
    stride = int(step.get("stride", 0))
    if stride > 0 and any(side % stride for side in config.input_size):
        raise ExportError(
            f"{config.path}: PadStride pads {config.input_size[0]}x{config.input_size[1]} to multiples of "
            f"{stride}; a bundle does not pad",
            _EXPORT_AGAIN,
        )
    return config


_STEPS: Final[dict[str, Callable[[InferConfig, _Values], InferConfig]]] = {
    "Resize": _resized,
    "NormalizeImage": _normalised,
    "Permute": _permuted,
    "PadStride": _padded,
}


def _described(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
