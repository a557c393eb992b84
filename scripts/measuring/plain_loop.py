"""PaddleDetection's own reader and loop in one process: CONFIG STEPS. Prints pictures per second.

Only what does not run under Paddle 3 is patched. The first step, which includes warm-up, is not counted.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from maskdet.training.worker.compat import apply_shims, paddle

apply_shims()

from ppdet.core.workspace import create, load_config  # noqa: E402 - ppdet is patched before use
from ppdet.optimizer import ModelEMA  # noqa: E402


def measure(config: str, steps: int) -> float:
    loaded = load_config(config)
    # maskdet's own key, unknown to PaddleDetection's reader.
    loaded["TrainReader"].pop("repeat_share", None)
    paddle.set_device("cpu")
    reader = create("TrainReader")(create("TrainDataset")(), loaded["worker_num"])
    network = create(loaded["architecture"])
    network.train()
    rate = create("LearningRate")(len(reader))
    optimizer = create("OptimizerBuilder")(rate, network)
    average = ModelEMA(network)
    begun, done = 0.0, 0
    for batch in reader:
        train_step(network, optimizer, rate, average, batch)
        done += 1
        begun = begun or time.monotonic()
        if done == steps:
            break
    return float((done - 1) * loaded["TrainReader"]["batch_size"] / (time.monotonic() - begun))


def train_step(network: Any, optimizer: Any, rate: Any, average: Any, batch: Any) -> None:
    batch["epoch_id"] = 0
    loss = network(batch)["loss"]
    loss.backward()
    optimizer.step()
    rate.step()
    optimizer.clear_grad()
    average.update()
    float(loss)


if __name__ == "__main__":
    sys.stdout.write(f"{measure(sys.argv[1], int(sys.argv[2]))}\n")
