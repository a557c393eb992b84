"""Run PaddleDetection's own steps on arrays from one .npz and write their results to another.

A script of its own, since importing ppdet takes seconds and changes the process that does it.
"""

from __future__ import annotations

import sys

import numpy as np
import paddle
from ppdet.data.transform.operators import NormalizeImage, Permute, Resize


def preprocessed(picture: np.ndarray, height: int, width: int, mean: np.ndarray, std: np.ndarray) -> tuple:
    sample = {"image": picture.copy(), "im_shape": np.array(picture.shape[:2], np.float32)}
    sample["scale_factor"] = np.ones(2, np.float32)
    Resize([height, width], keep_ratio=False, interp=2).apply(sample)
    resized = sample["image"].copy()
    NormalizeImage(mean=mean.tolist(), std=std.tolist()).apply(sample)
    Permute().apply(sample)
    return resized, sample["image"]


def suppressed(boxes: np.ndarray, scores: np.ndarray, settings: np.ndarray) -> np.ndarray:
    threshold, iou, top_k, keep = settings.tolist()
    rows, _, _ = paddle._C_ops.multiclass_nms3(
        paddle.to_tensor(boxes[None]),
        paddle.to_tensor(np.ascontiguousarray(scores.T[None])),
        None,
        threshold,
        int(top_k),
        int(keep),
        iou,
        True,
        1.0,
        -1,
    )
    return rows.numpy()


def main(source: str, target: str) -> None:
    given, results = np.load(source), {}
    for number in range(int(given["pictures"])):
        resized, normalised = preprocessed(
            given[f"picture{number}"], *given["input_size"].tolist(), given["mean"], given["std"]
        )
        results[f"resized{number}"], results[f"normalised{number}"] = resized, normalised
    for number in range(int(given["scenes"])):
        rows = suppressed(given[f"boxes{number}"], given[f"scores{number}"], given[f"nms{number}"])
        results[f"rows{number}"] = rows
    np.savez(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
