"""Exports PicoDets as PaddleDetection's tools/export_model.py does: FOLDER LABELS PICTURE...

One folder for each form of the 2021 network (ESNet, with the shipped weights) and of the 2022 one (LCNet,
with random weights), and what PaddleDetection itself finds in the pictures. A script of its own, since
importing ppdet takes seconds and changes the process that does it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import paddle2onnx
from paddle.static import InputSpec
from ppdet.core.workspace import create, global_config
from ppdet.data.transform.operators import NormalizeImage, Permute, Resize
from ppdet.engine.export_utils import _dump_infer_config
from trained import draw_faces, make_job

from maskdet.detector.shipped import shipped_weights
from maskdet.training.networks.picodet import MEAN, STD
from maskdet.training.worker.checkpoint import load_weights
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.network import build_network, load_config

SIDE = 320
CLASS_BIAS = -3.5
"""Leaves a random network some dozens of detections in a picture."""
NETWORKS = {"2021": "picodet_s_320_esnet", "2022": "picodet_xs_320"}


class Form(NamedTuple):
    """The keys of `export:` in the configuration, and those of TestReader."""

    post_process: bool = True
    nms: bool = True
    benchmark: bool = False
    fuse_normalize: bool = False
    batch: int | None = None
    """TestReader.inputs_def.image_shape with a batch size, as the releases up to 2.5 exported it."""


FORMS = {
    "2021": {"nms": Form(), "boxes": Form(nms=False), "heads": Form(post_process=False)},
    "2022": {
        "nms": Form(batch=1),
        "boxes": Form(nms=False, fuse_normalize=True),
        "heads": Form(benchmark=True),
    },
}


class Traced(paddle.nn.Layer):
    """The network as the exporter calls it; what a form does not use is no input of its graph."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Any) -> Any:
        unused = {name: paddle.ones([1, 2]) for name in ("im_shape", "scale_factor")}
        return self.network({**unused, **inputs})


def configured(folder: Path, year: str, labels: list[str]) -> Any:
    job = make_job(folder / year / "job", draw_faces(folder / "voc", 8), side=SIDE, variant=NETWORKS[year])
    config = load_config(job.config, num_classes=len(labels))
    (folder / "label_list.txt").write_text("\n".join(labels))
    global_config["TestDataset"] = create("ImageFolder")
    global_config["TestDataset"].anno_path = str(folder / "label_list.txt")
    return config


def random_weights(network: Any, pictures: list[Path]) -> None:
    """Wide enough that the answers differ from anchor to anchor, with the statistics of the pictures."""
    draw = np.random.default_rng(9)
    for name, value in network.named_parameters():
        if len(value.shape) == 4:
            wide = {"head_cls": 0.08, "head_reg": 0.015}.get(name[5:13])
            spread = wide or np.sqrt(2 / np.prod(value.shape[1:]))
            value.set_value(draw.normal(0, spread, value.shape).astype(np.float32))
        elif "head_cls" in name:
            value.set_value(np.full(value.shape, CLASS_BIAS, np.float32))
    norms = [layer for layer in network.sublayers() if hasattr(layer, "_momentum")]
    for norm in norms:
        norm._momentum, norm.training = 0.0, True
    images = np.stack([prepared(picture)["image"] for picture in pictures])
    with paddle.no_grad():
        network.head(network.neck(network.backbone({"image": paddle.to_tensor(images)})))
    network.eval()


def export(network: Any, form: Form, folder: Path) -> None:
    """`Trainer.export` of ppdet 2.6, whose own way to trace Paddle 3 rejects."""
    folder.mkdir(parents=True)
    processed = form.post_process and not form.benchmark
    shape = [form.batch or (None if processed else 1), 3, SIDE, SIDE]
    network.export_post_process, network.export_nms = processed, form.nms and not form.benchmark
    network.fuse_norm = form.fuse_normalize
    global_config["TestReader"]["fuse_normalize"] = form.fuse_normalize
    keys = {"post_process": form.post_process, "nms": form.nms, "benchmark": form.benchmark}
    config = type("Config", (dict,), {"export": keys})(global_config, export=keys)
    _dump_infer_config(config, str(folder / "infer_cfg.yml"), shape, network)
    spec = {"image": InputSpec(shape, "float32", "image")}
    if processed and form.nms:
        spec["scale_factor"] = InputSpec([shape[0], 2], "float32", "scale_factor")
    graph = Traced(network)
    graph.eval()
    traced = paddle.jit.to_static(graph, input_spec=[spec], full_graph=True)
    paddle.jit.save(traced, str(folder / "model"))
    content = paddle2onnx.export(
        str(folder / "model.json"),
        str(folder / "model.pdiparams"),
        opset_version=11,
        enable_optimize=False,
        optimize_tool="None",
    )
    (folder / "model.onnx").write_bytes(content)


def prepared(picture: Path) -> dict[str, Any]:
    """By the steps of the test reader."""
    pixels = cv2.cvtColor(cv2.imread(str(picture), cv2.IMREAD_IGNORE_ORIENTATION | 1), cv2.COLOR_BGR2RGB)
    sample = {"image": pixels, "im_shape": np.array(pixels.shape[:2], np.float32)}
    sample["scale_factor"] = np.ones(2, np.float32)
    for step in (
        Resize([SIDE, SIDE], keep_ratio=False, interp=2),
        NormalizeImage(list(MEAN), list(STD)),
        Permute(),
    ):
        sample = step(sample)
    return sample


def found(network: Any, picture: Path) -> tuple[Any, Any]:
    """Rows [class, score, x1, y1, x2, y2] with the head's own NMS, and with that of infer_cfg.yml."""
    sample = prepared(picture)
    network.export_post_process, network.export_nms, network.fuse_norm = True, True, False
    feed = {name: paddle.to_tensor(sample[name][None]) for name in ("image", "scale_factor")}
    with paddle.no_grad():
        rows = network(feed)["bbox"].numpy()
        network.export_nms = False
        outputs = network(feed)
    scale = np.tile(sample["scale_factor"][::-1], 2)
    deployed = paddle._C_ops.multiclass_nms3(
        outputs["bbox"] / paddle.to_tensor(scale.astype(np.float32)),
        outputs["scores"],
        None,
        *(0.3, 1000, 100, 0.5, True, 1.0, -1),
    )[0].numpy()
    return rows, deployed


def main(target: str, labels: str, *pictures: str) -> None:
    folder, rows = Path(target), {}
    for year, forms in FORMS.items():
        names = labels.split(",")
        config = configured(folder, year, names)
        network = build_network(config)
        network.eval()
        if year == "2021":
            load_weights(network, shipped_weights())
        else:
            random_weights(network, [Path(picture) for picture in pictures])
        network.load_meanstd([{"NormalizeImage": {"mean": MEAN, "std": STD}}])
        for number, picture in enumerate(pictures):
            rows[f"{year}_own_{number}"], rows[f"{year}_deployed_{number}"] = found(network, Path(picture))
        for name, form in forms.items():
            export(network, form, folder / year / name)
    np.savez(folder / "found.npz", **rows)
    sys.stdout.write(json.dumps(sorted(rows)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
