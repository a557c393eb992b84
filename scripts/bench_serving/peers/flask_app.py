"""The Flask design of a published tutorial: one global ONNX Runtime session with its default options, behind
`POST /api/` that takes JSON with a picture in base64, on Flask's own threaded server.

The tutorial's network normalises in Python and suppresses in its graph; this one's file has the former in its
graph and leaves the latter to us, so both sides do the same work.
"""

from __future__ import annotations

import base64
import os
import re
from typing import Any

import cv2
import numpy as np
import onnxruntime
from flask import Flask, Response, jsonify, request

INPUT_SIZE = int(os.environ["BENCH_INPUT_SIZE"])
THRESHOLD = float(os.environ["BENCH_THRESHOLD"])
NMS_SCORE, NMS_IOU, NMS_TOP_K = 0.025, 0.6, 1000

app = Flask(__name__)
session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], providers=["CPUExecutionProvider"])


@app.post("/api/")
def main_interface() -> Response:
    text = re.sub("^data:image/.+;base64,", "", request.get_json(force=True)["image"])
    return jsonify({"results": predict(base64.b64decode(text))})


def predict(data: bytes) -> list[dict[str, Any]]:
    picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    tensor = cv2.resize(picture, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_CUBIC)
    boxes, scores = session.run(["boxes", "scores"], {"image": tensor[None]})
    factors = np.array([picture.shape[1], picture.shape[0]] * 2, np.float32) / INPUT_SIZE
    rows = [
        {
            "class_id": class_id,
            "score": float(scores[0, anchor, class_id]),
            "box": (boxes[0, anchor] * factors).tolist(),
        }
        for class_id in range(scores.shape[2])
        for anchor in suppressed(boxes[0], scores[0, :, class_id])
    ]
    return [row for row in rows if row["score"] >= THRESHOLD]


def suppressed(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Anchors of one class that survive, best first."""
    (candidates,) = np.nonzero(scores >= NMS_SCORE)
    order = candidates[np.argsort(-scores[candidates], kind="stable")][:NMS_TOP_K]
    kept = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        order = order[overlaps(boxes[best], boxes[order]) <= NMS_IOU]
    return kept


def overlaps(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
    return shared / ((box[2:] - box[:2]).prod() + areas - shared)


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["BENCH_PORT"]), threaded=True)
