"""The training loop over PaddleDetection's network, losses, transforms and schedule. Worker side.

ppdet's own Trainer is not used: it forgets the best score on resume, cannot stop early, cannot resume a
moving average exactly, and validates with a second preprocessing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ppdet.core.workspace import create

from maskdet.artefacts import BEST, LAST
from maskdet.dataset.manifest import load_manifest
from maskdet.errors import TrainingError
from maskdet.training.launch.disk_space import space_for
from maskdet.training.start.transfer import Transfer
from maskdet.training.state import TrainState, read_state
from maskdet.training.worker.agreement import agreed
from maskdet.training.worker.average import MovingAverage, StartKept
from maskdet.training.worker.checkpoint import Checkpointer, save_weights, start_from
from maskdet.training.worker.compat import paddle
from maskdet.training.worker.difficult import ignore_difficult
from maskdet.training.worker.exchange import share_weights, writes_files
from maskdet.training.worker.feed import TrainingFeed
from maskdet.training.worker.freezing import freeze, to_training
from maskdet.training.worker.judge import Judge
from maskdet.training.worker.network import build_network, choose_device, load_config
from maskdet.training.worker.picture_store import LostPictures, PictureStore
from maskdet.training.worker.precision import precision_of
from maskdet.training.worker.step_events import StepEvents
from maskdet.training.worker.stepper import Stepper, diverged, finite
from maskdet.training.worker.time_budget import TimeBudget

Report = Callable[..., None]


def run(job: dict[str, Any], report: Report) -> None:
    """Job keys: config, manifest, out, start (or {}), start_share, seed, patience, evaluate_every,
    devices, resume, fingerprint, parts, rate_share, cache_bytes, max_hours.
    """
    device = choose_device(job["devices"])
    workers = paddle.distributed.get_world_size()
    if workers > 1:
        paddle.distributed.init_parallel_env()
    job = agreed(job)
    paddle.seed(job["seed"])
    training = Training.prepare(job, report, workers)
    report(
        "start",
        epochs=training.epochs,
        steps_per_epoch=len(training.feed),
        device=device,
        workers=workers,
        first_epoch=training.state.epoch + 1,
        judges_start=training.judges_start,
        fresh=training.started.fresh,
        start=training.started.line,
        cache_mb=round(job["cache_bytes"] * workers / 2**20),
    )
    training.run()


@dataclass
class Training:
    """The state of one training, and the loop over its epochs."""

    job: dict[str, Any]
    report: Report
    network: Any
    feed: TrainingFeed
    step: Stepper
    average: MovingAverage
    start_kept: StartKept
    judge: Judge
    keeper: Checkpointer
    state: TrainState
    budget: TimeBudget
    epochs: int
    frozen: str
    freeze_norm: bool
    started: Transfer
    """What was taken over from the starting weights."""

    @classmethod
    def prepare(cls, job: dict[str, Any], report: Report, workers: int) -> Training:
        config = load_config(Path(job["config"]))
        manifest, out = load_manifest(Path(job["manifest"])), Path(job["out"])
        store = PictureStore(job["cache_bytes"])
        network = build_network(config)
        ignore_difficult(network.head)
        started = start_from(network, manifest.labels, job["start"])
        start_kept = StartKept.of(network, started, job["start_share"])
        freeze(network, config["freeze"])
        lost = LostPictures(len(manifest.part("train")), report)
        feed = TrainingFeed(config, manifest, job["seed"], workers, store, lost)
        rate = _schedule(job["rate_share"], len(feed))
        optimizer = create("OptimizerBuilder")(rate, network)
        average, precision = MovingAverage(network), precision_of(config, network)
        keeper = Checkpointer(out, network, average, optimizer, rate, precision)
        state = _state(job, config["epoch"])
        if job["resume"]:
            keeper.load()
            _require_numbers(network, out)
        parallel = paddle.DataParallel(network, find_unused_parameters=True) if workers > 1 else network
        return cls(
            job=job,
            report=report,
            network=network,
            feed=feed,
            step=Stepper(network, parallel, optimizer, rate, average, job["parts"], precision),
            average=average,
            start_kept=start_kept,
            judge=Judge(manifest, tuple(config["eval_size"]), store, -(-feed.batch_size // job["parts"])),
            keeper=keeper,
            state=state,
            budget=TimeBudget(job["max_hours"], state.seconds),
            epochs=config["epoch"],
            frozen=config["freeze"],
            freeze_norm=config["freeze_norm"],
            started=started,
        )

    @property
    def judges_start(self) -> bool:
        """Whether there is an epoch 0: a start that already detects and is not yet evaluated."""
        return self.started.whole and self.state.best_epoch is None and self.state.epoch == 0

    def run(self) -> None:
        if self.judges_start:
            self._judge_start()
        while not (self.state.finished or self._ended_by_time()):
            self._train_epoch(self.state.epoch)
            self._close_epoch()
        self.report(
            "done",
            epochs=self.state.epoch,
            best_epoch=self.state.best_epoch,
            best_ap50=self.state.best_ap50,
            start_ap50=self.state.start_ap50,
            reason=self.state.reason,
        )

    def _judge_start(self) -> None:
        """Epoch 0: the weights that training has to improve on, and the best ones until it does."""
        began = self.budget.spent
        figures = self.judge(self.network)
        self.state = replace(self.state, start_ap50=figures["ap50"])
        with space_for(Path(self.job["out"]), self._bytes_to_write()):
            self._keep(0, figures, cut=False)
            self._save_state()
        # Its time counts, but not as an epoch's; an epoch is closed in the same way.
        closing = self.budget.spent - began
        self.budget = TimeBudget(self.job["max_hours"], self.state.seconds, closing=closing)

    def _ended_by_time(self) -> bool:
        """End before an epoch if no time is left, as in a resumed session, and some epoch after the start was
        evaluated.
        """
        evaluated = bool(self.state.best_epoch or self.state.waited)
        if not evaluated or not _agreed(self.budget.used_up):
            return False
        self.state = replace(self.state, finished=True, reason="max_hours")
        with space_for(Path(self.job["out"]), self._bytes_to_write()):
            self._save_state()
        self._tell_budget(self.state.epoch)
        return True

    def _train_epoch(self, epoch: int) -> None:
        to_training(self.network, self.frozen, freeze_norm=self.freeze_norm)
        events = StepEvents(self.report, epoch, self.epochs, len(self.feed), self.feed.batch_size)
        for number, batch in enumerate(events.watched(self.feed.epoch(epoch))):
            losses = self.step(batch)
            events.step(number, losses, self.step.learning_rate)
        if not finite(self.network):
            raise diverged("the weights became non-finite", epoch)

    def _close_epoch(self) -> None:
        epoch = self.state.epoch + 1
        self.budget.steps_done()
        due = epoch == self.epochs or epoch % self.job["evaluate_every"] == 0
        cut = epoch < self.epochs and _agreed(self.budget.exhausted(evaluated=due))
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.set_state_dict(self.start_kept(self.average.apply()))
        share_weights(self.network)
        figures = self.judge(self.network) if due or cut else {}
        with space_for(Path(self.job["out"]), self._bytes_to_write()):
            self._keep(epoch, figures, cut)
            self.network.set_state_dict(own)
            self._save_state()
        self.budget.epoch_done()
        self._tell_budget(epoch)

    def _keep(self, epoch: int, figures: dict[str, float], cut: bool) -> None:
        """Write the weights that the network has, and note how they did; `figures` is empty if not judged."""
        out, state = Path(self.job["out"]), self.state
        better = bool(figures) and (state.best_ap50 is None or figures["ap50"] > state.best_ap50)
        if better:
            state = replace(state, best_ap50=figures["ap50"], best_epoch=epoch, waited=0)
        elif figures:
            state = replace(state, waited=state.waited + 1)
        if writes_files():
            weights = self.network.state_dict()
            save_weights(weights, out / LAST)
            if better:
                save_weights(weights, out / BEST)
        reason = self._reason(epoch, state.waited, cut)
        self.state = replace(
            state, epoch=epoch, finished=bool(reason), reason=reason, seconds=round(self.budget.spent, 1)
        )
        if figures:
            self.report("epoch", epoch=epoch, best=better, **figures)

    def _reason(self, epoch: int, waited: int, cut: bool) -> str:
        """The setting that ends the training after this epoch; empty if none does."""
        if epoch == self.epochs:
            return "epochs"
        if 0 < self.job["patience"] <= waited:
            return "patience"
        return "max_hours" if cut else ""

    def _tell_budget(self, epoch: int) -> None:
        remark = self.budget.remark(epoch, self.epochs, ended=self.state.reason == "max_hours")
        if remark and writes_files():
            self.report("warning", kind="max_hours", epoch=epoch, text=remark)

    def _bytes_to_write(self) -> int:
        """Bytes written after an epoch: the weights twice, and a state of up to four times that."""
        return 6 * sum(int(value.numpy().nbytes) for value in self.network.state_dict().values())

    def _save_state(self) -> None:
        if writes_files():
            self.keeper.save(self.state)
        if paddle.distributed.get_world_size() > 1:
            paddle.distributed.barrier()


def _state(job: dict[str, Any], epochs: int) -> TrainState:
    kept = read_state(Path(job["out"])) if job["resume"] else None
    state = kept or TrainState(0, epochs, False, None, None, 0, job["fingerprint"])
    return replace(state, parts=job["parts"], rate_share=job["rate_share"])


def _schedule(rate_share: float, steps_per_epoch: int) -> Any:
    schedule = create("LearningRate")
    schedule.base_lr *= rate_share
    return schedule(steps_per_epoch)


def _require_numbers(network: Any, out: Path) -> None:
    if not finite(network):
        raise TrainingError(
            f"the state in {out} contains weights that are not finite",
            "lower train.learning_rate and start over with --force; the best weights so far are kept",
        )


def _agreed(mine: bool) -> bool:
    """Rank 0's decision: each worker has its own clock."""
    if paddle.distributed.get_world_size() == 1:
        return mine
    said = paddle.to_tensor([int(mine)])
    paddle.distributed.broadcast(said, src=0)
    return bool(said.item())
