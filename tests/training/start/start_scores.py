"""Scores of a network before it is saved and after another started from it: CONFIG CASES FOLDER.

CASES is JSON: known labels, labels of the data, class map. Prints what became of each case as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ppdet.core.workspace import merge_config
from safetensors.numpy import save_file

from maskdet.training.start.checkpoint_meta import CheckpointMeta
from maskdet.training.worker.checkpoint import start_from
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.network import build_network, load_config, raw_outputs

folder = Path(sys.argv[3])
paddle.seed(3)
image = paddle.to_tensor(np.random.default_rng(1).normal(size=(1, 3, 64, 64)).astype(np.float32))


def network(classes: int) -> Any:
    # Read anew: ppdet's necks append to the lists of the configuration.
    config = load_config(Path(sys.argv[1]))
    merge_config({"num_classes": classes})
    built = build_network(config)
    built.eval()
    return built


def outputs(built: Any) -> tuple[list[Any], list[Any]]:
    with paddle.no_grad():
        boxes, scores = raw_outputs(built, image)
    return boxes.numpy().tolist(), scores.numpy()[0].T.tolist()


def shake(built: Any) -> None:
    """Rows that differ from each other, unlike fresh biases."""
    for name, value in built.state_dict().items():
        if name.startswith("head.head_cls"):
            value.set_value(value + paddle.randn(value.shape) * 0.1)


def case(known: list[str], labels: list[str], class_map: dict[str, str | None]) -> dict[str, Any]:
    one, other = network(len(known)), network(len(labels))
    shake(one)
    path = folder / "known.safetensors"
    arrays = {name: np.ascontiguousarray(value.numpy()) for name, value in one.state_dict().items()}
    save_file(arrays, str(path), metadata=CheckpointMeta(labels=tuple(known)).to_header())
    start = {"name": "known", "path": str(path), "labels": known, "class_map": class_map}
    found = start_from(other, labels, start)
    (boxes, scores), (new_boxes, new_scores) = outputs(one), outputs(other)
    return {
        "scores": dict(zip(known, scores, strict=True)),
        "new_scores": dict(zip(labels, new_scores, strict=True)),
        "boxes_differ": float(np.abs(np.array(boxes) - np.array(new_boxes)).max()),
        "fresh": found.fresh,
        "line": found.line,
    }


sys.stdout.write(json.dumps([case(*each) for each in json.loads(sys.argv[2])]) + "\n")
