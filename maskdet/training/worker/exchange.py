"""Bytes between the workers of one training, without pickle: machines need not trust each other's objects."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from maskdet.training.worker.compat import paddle


def workers() -> int:
    """Of all machines together."""
    return int(paddle.distributed.get_world_size())


def writes_files() -> bool:
    """True in one worker of each machine, which writes the results folder there."""
    return os.environ.get("PADDLE_LOCAL_RANK", "0") == "0"


def gather(mine: bytes) -> list[bytes]:
    """What each worker passes, by rank, in every worker."""
    if workers() == 1:
        return [mine]
    lengths = _gathered(np.array([len(mine)], np.int64))
    longest = max(int(each[0]) for each in lengths)
    padded = np.zeros(max(1, longest), np.uint8)
    padded[: len(mine)] = np.frombuffer(mine, np.uint8)
    parts = _gathered(padded)
    return [part[: int(length[0])].tobytes() for part, length in zip(parts, lengths, strict=True)]


def broadcast(data: bytes, source: int) -> bytes:
    """What the worker of rank `source` passes, in every worker; what the others pass is ignored."""
    size = paddle.to_tensor(np.array([len(data)], np.int64))
    paddle.distributed.broadcast(size, src=source)
    sends = int(paddle.distributed.get_rank()) == source
    values = np.frombuffer(data, np.uint8) if sends else np.zeros(int(size.item()), np.uint8)
    tensor = paddle.to_tensor(values.copy())
    if tensor.shape[0]:
        paddle.distributed.broadcast(tensor, src=source)
    return bytes(tensor.numpy().tobytes())


def share_weights(network: Any) -> None:
    """All workers get rank 0's values: batch normalisation's running statistics differ between them."""
    if workers() > 1:
        for value in network.state_dict().values():
            paddle.distributed.broadcast(value, src=0)


def _gathered(values: Any) -> list[Any]:
    parts: list[Any] = []
    paddle.distributed.all_gather(parts, paddle.to_tensor(values))
    return [part.numpy() for part in parts]
