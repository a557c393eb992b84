"""Recovery from a training failure: fewer pictures at a time, or a lower learning rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maskdet.errors import TrainingError
from maskdet.training.launch.failures import OutOfMemory
from maskdet.training.state import TrainState

_LEAST_RATE_SHARE = 1 / 8
"""Halved three times: a recipe that needs less than that is wrong elsewhere."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """Each step runs in `parts`, at `rate_share` of the recipe's learning rate.

    The parts have the loss and the gradients of the whole step, whose size, the schedule and the order of
    pictures do not change; only batch normalisation sees fewer pictures at a time.
    """

    parts: int = 1
    rate_share: float = 1.0

    @classmethod
    def of(cls, state: TrainState | None) -> Recovery:
        """The recovery recorded in a training's state; none at its start."""
        return cls(state.parts, state.rate_share) if state else cls()

    def after(self, failure: TrainingError, share: int) -> Recovery:
        """The next recovery; `share` is a worker's pictures per step. Raises the failure if none is left."""
        if isinstance(failure, OutOfMemory):
            if self.parts >= share:
                raise _needs_more_memory() from failure
            return replace(self, parts=min(share, self.parts * 2))
        if self.rate_share <= _LEAST_RATE_SHARE:
            raise failure
        return replace(self, rate_share=self.rate_share / 2)

    def at_a_time(self, share: int) -> int:
        """Pictures of a worker's share of a step that are processed at once."""
        return -(-share // self.parts)

    def words(self, failure: TrainingError, share: int, epoch: int) -> str:
        """What happened, and how training continues after the finished `epoch` with this recovery."""
        start = f"after epoch {epoch}" if epoch else "from the start"
        if isinstance(failure, OutOfMemory):
            return (
                f"not enough memory: continuing {start} with {self.at_a_time(share)} pictures at a time "
                f"in each worker instead of {share}; the step size is unchanged"
            )
        times = f"{self.rate_share:g} of the learning rate"
        return f"{failure.what}: continuing {start} with {times}"

    def advice(self, batch_size: int, workers: int, rate: float) -> tuple[str, ...]:
        """What to set in the pipeline file to avoid the failed attempts; `rate` is the recipe's peak."""
        said = []
        if self.parts > 1:
            some = self.at_a_time(batch_size // workers) * workers
            said.append(
                f"there was enough memory for {some} pictures at a time: set train.batch_size: {some}"
            )
        if self.rate_share < 1:
            lower = f"{rate * self.rate_share:g}"
            said.append(f"the loss stayed finite at learning rate {lower}: set train.learning_rate: {lower}")
        return tuple(said)


def _needs_more_memory() -> TrainingError:
    return OutOfMemory(
        "out of memory even with one picture at a time in each worker",
        "set train.workers: 1, choose a smaller model.variant, or free memory; then continue with --resume",
    )
