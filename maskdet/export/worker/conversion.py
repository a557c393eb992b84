"""The export job: checkpoint in, Paddle inference model and ONNX files out. Worker side.

It also stores the output of each for some pictures, for the parent to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import yaml

from maskdet import __version__
from maskdet.artefacts import BUNDLE, BUNDLE_WITH_NMS
from maskdet.detector.preprocess import normalise
from maskdet.detector.settings import BundleMeta
from maskdet.export.assembly import assemble
from maskdet.export.worker.graphs import DeployGraph, RawGraph, save_graph, to_onnx
from maskdet.system.files import write_text
from maskdet.system.flow import run_in_order
from maskdet.training.networks.picodet import STRIDES, nms_section
from maskdet.training.worker.checkpoint import load_weights
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.network import RawDetector, build_network, choose_device, load_config


def run(job: dict[str, Any], report: Callable[..., None]) -> None:
    """Job keys: config, weights, out, meta (of BundleMeta), onnx, nms, batch_size, threads, pictures (.npz to
    read), outputs (.npz to write).
    """
    config = load_config(Path(job["config"]))
    choose_device("cpu")
    network = build_network(config)
    load_weights(network, Path(job["weights"]))
    out, meta = Path(job["out"]), _meta(job["meta"])
    write_text(
        out / "infer_cfg.yml", yaml.safe_dump(_infer_config(meta), sort_keys=False, allow_unicode=True)
    )
    batch = np.load(job["pictures"], allow_pickle=False)["batch"]
    with TemporaryDirectory(prefix="maskdet-") as name:
        outputs = _trainer_outputs(network, batch, job["batch_size"], job["threads"])
        raw = save_graph(RawGraph(network), meta.input_size, Path(name))
        deploy = save_graph(DeployGraph(network), meta.input_size, out)
        report("progress", done="Paddle inference format written")
        outputs |= _paddle_outputs(raw, deploy, _images(batch, meta, job["batch_size"]), job["threads"])
        if job["onnx"]:
            onnx.save_model(assemble(to_onnx(raw), meta), out / BUNDLE)
        if job["nms"] == "in-graph":
            single = save_graph(DeployGraph(network), meta.input_size, Path(name), batch=1)
            onnx.save_model(to_onnx(single), out / BUNDLE_WITH_NMS)
    np.savez(job["outputs"], **outputs)
    report("done")


def _meta(values: dict[str, Any]) -> BundleMeta:
    found = {name: metadata.version(name) for name in ("paddledet", "paddle2onnx", "onnx")}
    versions = {"maskdet": __version__, "paddle": str(paddle.__version__), **found}
    return BundleMeta.model_validate({**values, "versions": versions})


def _infer_config(meta: BundleMeta) -> dict[str, Any]:
    """What PaddleDetection's deploy scripts read; `arch: GFL` is a PicoDet with its postprocess inside."""
    return {
        "mode": "paddle",
        "draw_threshold": min(meta.network_thresholds.values()),
        "metric": "VOC",
        "use_dynamic_shape": False,
        "arch": "GFL",
        "min_subgraph_size": 3,
        "Preprocess": [
            {"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": list(meta.input_size)},
            {"type": "NormalizeImage", "is_scale": True, "mean": list(meta.mean), "std": list(meta.std)},
            {"type": "Permute"},
        ],
        "label_list": list(meta.labels),
        "NMS": nms_section(),
        "fpn_stride": STRIDES,
    }


def _trainer_outputs(network: Any, batch: Any, size: int, threads: int) -> dict[str, Any]:
    detector = RawDetector(network)
    tasks = (partial(detector.run, batch[start : start + size]) for start in range(0, len(batch), size))
    parts = list(run_in_order(tasks, threads))
    return {
        "trainer_boxes": np.concatenate([boxes for boxes, _ in parts]),
        "trainer_scores": np.concatenate([scores for _, scores in parts]),
    }


def _images(batch: Any, meta: BundleMeta, size: int) -> list[Any]:
    starts = range(0, len(batch), size)
    return [normalise(batch[start : start + size], meta.mean, meta.std) for start in starts]


def _paddle_outputs(raw: Path, deploy: Path, images: list[Any], threads: int) -> dict[str, Any]:
    # Paddle crashes now and then when threads create predictors at the same time: each registers the dialects
    # of the graph. They may run side by side, each in one thread.
    raw_predictor, deploy_predictor = _predictor(raw), _predictor(deploy)
    tasks = (partial(_raw_parts, raw_predictor, images), partial(_deploy_parts, deploy_predictor, images))
    raw_parts, deploy_parts = run_in_order(tasks, threads)
    return {
        "paddle_boxes": np.concatenate([boxes for boxes, _ in raw_parts]),
        "paddle_scores": np.concatenate([scores for _, scores in raw_parts]),
        "deploy_rows": np.concatenate([rows.reshape(-1, 6) for rows, _ in deploy_parts]),
        "deploy_counts": np.concatenate([counts for _, counts in deploy_parts]),
    }


def _raw_parts(predictor: Any, images: list[Any]) -> list[Any]:
    return [_run(predictor, image) for image in images]


def _deploy_parts(predictor: Any, images: list[Any]) -> list[Any]:
    return [_run(predictor, image, np.ones((len(image), 2), np.float32)) for image in images]


def _run(predictor: Any, *inputs: Any) -> list[Any]:
    # The predictor writes its next outputs into the same memory, so these are copied immediately.
    return [output.numpy().copy() for output in predictor.run([paddle.to_tensor(value) for value in inputs])]


def _predictor(model: Path) -> Any:
    settings = paddle.inference.Config(str(model), str(model.with_suffix(".pdiparams")))
    settings.disable_glog_info()
    settings.disable_gpu()
    return paddle.inference.create_predictor(settings)
