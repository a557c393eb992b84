"""Saving and loading an unfinished training: weights, their moving average, optimiser. Worker side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from maskdet.errors import TrainingError
from maskdet.system.files import staged_file
from maskdet.training.start.architecture import describe
from maskdet.training.start.transfer import Transfer, transfer
from maskdet.training.start.weights import Weights, fit, read_weights
from maskdet.training.state import STATE_NAME, TrainState
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.precision import FullPrecision


def save_weights(weights: dict[str, Any], path: Path) -> None:
    """Write a .pdparams file that PaddleDetection's own tools read."""
    with staged_file(path) as aside:
        paddle.save(weights, str(aside))


def load_weights(network: Any, path: Path) -> None:
    """Load a checkpoint of exactly this network. Raises TrainingError if a value is missing."""
    own, weights = _arrays(network.state_dict()), read_weights(path)
    fitting, missing = fit(weights, own)
    if missing:
        raise TrainingError(
            f"{path} ({describe(weights)}) lacks {len(missing)} of the network's layers "
            f"({describe(own)}), such as {missing[0]}",
            "set model.variant and data.labels to those of the weights",
        )
    network.set_state_dict(fitting)


def start_from(network: Any, labels: Sequence[str], start: dict[str, Any]) -> Transfer:
    """Load what fits of the starting weights, a `Start.to_job()` or {}; report what did."""
    if not start:
        return Transfer({}, [], "")
    found = transfer(_arrays(network.state_dict()), labels, start)
    network.set_state_dict(found.arrays)
    return found


class Checkpointer:
    """Writes and reads the resumable state of network, moving average, optimiser, schedule and precision."""

    def __init__(
        self,
        out: Path,
        network: Any,
        average: Any,
        optimizer: Any,
        rate: Any,
        precision: FullPrecision,
    ) -> None:
        self._path, self._precision = out / STATE_NAME, precision
        self._network, self._average, self._optimizer, self._rate = network, average, optimizer, rate

    def save(self, state: TrainState) -> None:
        arrays = {
            **_named("network", _arrays(self._network.state_dict())),
            **_named("average", _arrays(self._average.state_dict)),
            **_named("optimizer", self._optimizer_arrays()),
            **_named("precision", self._precision.state()),
            "steps": np.array([self._average.step, self._rate.last_epoch], np.int64),
        }
        with staged_file(self._path) as aside:
            save_file(arrays, str(aside), metadata=state.to_header())

    def load(self) -> None:
        """Restore everything to the end of the last finished epoch."""
        arrays = self._read()
        self._network.set_state_dict(_part(arrays, "network"))
        average = {name: paddle.to_tensor(value) for name, value in _part(arrays, "average").items()}
        steps, scheduled = (int(value) for value in arrays["steps"])
        self._average.resume(average, steps)
        self._rate.step(scheduled)
        self._load_optimizer(_part(arrays, "optimizer"))
        self._precision.resume(_part(arrays, "precision"))

    def _read(self) -> Weights:
        try:
            with safe_open(str(self._path), framework="numpy") as stream:
                return {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - not a dict
        except (OSError, ValueError, SafetensorError) as error:
            raise TrainingError(f"{self._path} is damaged: {error}", "start over with --force") from error

    def _optimizer_arrays(self) -> Weights:
        # Accumulators carry the parameter's unique name, which is counted per process; only the index
        # in the parameter list is the same in two processes.
        state, places = self._optimizer.state_dict(), self._places()
        return {
            _by_place(name, places): value.numpy() for name, value in state.items() if hasattr(value, "numpy")
        }

    def _load_optimizer(self, arrays: Weights) -> None:
        names = {str(place): name for name, place in self._places().items()}
        state = {_by_name(key, names): paddle.to_tensor(value) for key, value in arrays.items()}
        self._optimizer.set_state_dict({**state, "LR_Scheduler": self._rate.state_dict()})

    def _places(self) -> dict[str, int]:
        return {parameter.name: place for place, parameter in enumerate(self._network.parameters())}


def _by_place(accumulator: str, places: dict[str, int]) -> str:
    parts = accumulator.split("_")
    heads = ("_".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    name = next(head for head in heads if head in places)
    return f"{places[name]}/{accumulator.removeprefix(name)}"


def _by_name(key: str, names: dict[str, str]) -> str:
    place, _, suffix = key.partition("/")
    return names[place] + suffix


def _arrays(tensors: dict[str, Any]) -> Weights:
    return {name: value.numpy() for name, value in tensors.items()}


def _named(group: str, arrays: Weights) -> Weights:
    return {f"{group}/{name}": np.ascontiguousarray(value) for name, value in arrays.items()}


def _part(arrays: Weights, group: str) -> Weights:
    return {
        name.removeprefix(f"{group}/"): value
        for name, value in arrays.items()
        if name.startswith(f"{group}/")
    }
