"""The training loop over PaddleDetection's network, losses, transforms and schedule. Worker side.

ppdet's own Trainer is not used: it forgets the best score on resume, cannot stop early, cannot resume a
moving average exactly, and validates through a second preprocess.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from ppdet.core.workspace import create

from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.errors import TrainingError
from maskdet.evaluation.evaluator import evaluate
from maskdet.training.average import MovingAverage
from maskdet.training.checkpoint import Checkpointer, load_weights, save_weights
from maskdet.training.compat import paddle
from maskdet.training.feed import TrainingFeed
from maskdet.training.inference import detect
from maskdet.training.network import RawDetector, build_network, choose_device, load_config
from maskdet.training.state import BEST_NAME, LAST_NAME, TrainState, read_state

Report = Callable[..., None]
_REPORT_SECONDS = 2.0


def run(job: dict[str, Any], report: Report) -> None:
    """Job keys: config, manifest, data_root, out, pretrained (or ""), seed, patience, evaluate_every,
    devices, resume, fingerprint.
    """
    device = choose_device(job["devices"])
    workers = paddle.distributed.get_world_size()
    if workers > 1:
        paddle.distributed.init_parallel_env()
    paddle.seed(job["seed"])
    training = Training.prepare(job, report, workers)
    report(
        "start",
        epochs=training.epochs,
        steps_per_epoch=len(training.feed),
        device=device,
        workers=workers,
        first_epoch=training.state.epoch + 1,
        fresh=training.fresh,
    )
    training.run()


@dataclass
class Training:
    """Everything that one training holds, and the loop over its epochs."""

    job: dict[str, Any]
    report: Report
    network: Any
    parallel: Any
    feed: TrainingFeed
    rate: Any
    optimizer: Any
    average: MovingAverage
    judge: Judge
    keeper: Checkpointer
    state: TrainState
    epochs: int
    fresh: list[str]
    """Names of weights that the starting point did not have."""

    @classmethod
    def prepare(cls, job: dict[str, Any], report: Report, workers: int) -> Training:
        config = load_config(Path(job["config"]))
        manifest, root, out = load_manifest(Path(job["manifest"])), Path(job["data_root"]), Path(job["out"])
        network = build_network(config)
        fresh = load_weights(network, Path(job["pretrained"])) if job["pretrained"] else []
        feed = TrainingFeed(config, manifest, root, job["seed"], workers)
        rate = create("LearningRate")(len(feed))
        optimizer = create("OptimizerBuilder")(rate, network)
        average = MovingAverage(network)
        keeper = Checkpointer(out, network, average, optimizer, rate)
        state = TrainState(0, config["epoch"], False, None, None, 0, job["fingerprint"])
        if job["resume"]:
            keeper.load()
            state = read_state(out) or state
        return cls(
            job=job,
            report=report,
            network=network,
            parallel=paddle.DataParallel(network, find_unused_parameters=True) if workers > 1 else network,
            feed=feed,
            rate=rate,
            optimizer=optimizer,
            average=average,
            judge=Judge(manifest, root, tuple(config["eval_size"])),
            keeper=keeper,
            state=state,
            epochs=config["epoch"],
            fresh=fresh,
        )

    def run(self) -> None:
        while not self.state.finished:
            self._train_epoch(self.state.epoch)
            self._close_epoch()
        self.report(
            "done",
            epochs=self.state.epoch,
            best_epoch=self.state.best_epoch,
            best_ap50=self.state.best_ap50,
            stopped_early=self.state.epoch < self.epochs,
        )

    def _train_epoch(self, epoch: int) -> None:
        self.network.train()
        progress = Progress(self.report, epoch, self.epochs, len(self.feed), self.feed.batch_size)
        for step, batch in enumerate(self.feed.epoch(epoch)):
            losses = self._step(batch)
            progress.step(step, losses, self.optimizer.get_lr())

    def _step(self, batch: dict[str, Any]) -> dict[str, float]:
        try:
            outputs = self.parallel(batch)
        except ValueError as error:
            # Paddle's cross entropy refuses what is not a number before there is a loss to look at.
            if _finite(self.network):
                raise
            raise self._diverged("not a number") from error
        outputs["loss"].backward()
        self.optimizer.step()
        self.rate.step()
        self.optimizer.clear_grad()
        self.average.update()
        losses = {name: float(value) for name, value in outputs.items()}
        if not math.isfinite(losses["loss"]):
            raise self._diverged(str(losses["loss"]))
        return losses

    def _diverged(self, loss: str) -> TrainingError:
        return TrainingError(
            f"the loss became {loss} in epoch {self.state.epoch + 1}",
            "lower train.learning_rate and start over with --force; the best weights so far are kept",
        )

    def _close_epoch(self) -> None:
        epoch = self.state.epoch + 1
        due = epoch == self.epochs or epoch % self.job["evaluate_every"] == 0
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        averaged = self.average.apply()
        self.network.set_state_dict(averaged)
        figures = self.judge(self.network) if due else {}
        self._keep(epoch, figures, averaged)
        self.network.set_state_dict(own)
        self._save_state()

    def _keep(self, epoch: int, figures: dict[str, float], averaged: dict[str, Any]) -> None:
        out, state = Path(self.job["out"]), self.state
        better = bool(figures) and (state.best_ap50 is None or figures["ap50"] > state.best_ap50)
        if better:
            state = replace(state, best_ap50=figures["ap50"], best_epoch=epoch, waited=0)
        elif figures:
            state = replace(state, waited=state.waited + 1)
        if self._speaks:
            save_weights(averaged, out / LAST_NAME)
            if better:
                save_weights(averaged, out / BEST_NAME)
        tired = 0 < self.job["patience"] <= state.waited
        self.state = replace(state, epoch=epoch, finished=epoch == self.epochs or tired)
        if figures:
            self.report("epoch", epoch=epoch, best=better, **figures)

    def _save_state(self) -> None:
        if self._speaks:
            self.keeper.save(self.state)
        if paddle.distributed.get_world_size() > 1:
            paddle.distributed.barrier()

    @property
    def _speaks(self) -> bool:
        return int(paddle.distributed.get_rank()) == 0


def _finite(network: Any) -> bool:
    return all(bool(paddle.isfinite(parameter).all()) for parameter in network.parameters())


class Judge:
    """AP on val with the network's present weights; several workers share the pictures."""

    def __init__(self, manifest: Manifest, root: Path, input_size: tuple[int, int]) -> None:
        self._manifest, self._root, self._input_size = manifest, root, input_size
        self._pictures = manifest.part("val")

    def __call__(self, network: Any) -> dict[str, float]:
        found = self._detect_together(network)
        truths = (self._manifest.ground_truth(picture) for picture in self._pictures)
        return evaluate(
            zip(truths, found, strict=True), self._manifest.labels, thresholds="best-f1"
        ).summary()

    def _detect_together(self, network: Any) -> list[Any]:
        world, rank = paddle.distributed.get_world_size(), paddle.distributed.get_rank()
        if world > 1:
            # Batch normalisation's running statistics differ between workers: all judge rank 0's.
            for value in network.state_dict().values():
                paddle.distributed.broadcast(value, src=0)
        mine = detect(
            RawDetector(network),
            self._pictures[rank::world],
            self._root,
            input_size=self._input_size,
            batch_size=8,
        )
        if world == 1:
            return mine
        parts: list[Any] = []
        paddle.distributed.all_gather_object(parts, mine)
        return [parts[place % world][place // world] for place in range(len(self._pictures))]


class Progress:
    """Turns steps into events, one every few seconds and one at the end of the epoch."""

    def __init__(self, report: Report, epoch: int, epochs: int, steps: int, batch_size: int) -> None:
        self._report, self._epoch, self._epochs, self._steps, self._batch = (
            report,
            epoch,
            epochs,
            steps,
            batch_size,
        )
        self._begun = self._told = time.monotonic()

    def step(self, step: int, losses: dict[str, float], rate: float) -> None:
        now, done = time.monotonic(), step + 1
        if now - self._told < _REPORT_SECONDS and done < self._steps:
            return
        self._told = now
        seconds = (now - self._begun) / done
        left = (self._epochs - self._epoch) * self._steps - done
        self._report(
            "step",
            epoch=self._epoch + 1,
            step=done,
            loss=round(losses.pop("loss"), 5),
            losses={name: round(value, 5) for name, value in losses.items()},
            lr=round(rate, 8),
            images_per_s=round(self._batch / seconds, 2),
            eta_s=round(left * seconds),
            memory_mb=round(psutil.Process().memory_info().rss / 2**20),
        )
