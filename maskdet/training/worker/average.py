"""The averages of a network's weights that are evaluated and saved: over its steps, and with its start.

Worker side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ppdet.optimizer import ModelEMA

from maskdet.errors import TrainingError
from maskdet.training.start.transfer import Transfer

DECAY = 0.9998


class MovingAverage(ModelEMA):  # type: ignore[misc]
    """ppdet's average with an exact bias correction.

    The average starts at zero and its decay grows with the steps, so the share that is still zero is the
    product of all decays. ppdet/optimizer/ema.py divides by 1 - decay**step instead, which scales each layer
    up by as much as 1.5 per cent in a short training; over dozens of layers that adds up.
    """

    def __init__(self, network: Any) -> None:
        super().__init__(network, decay=DECAY, ema_decay_type="threshold")

    def apply(self) -> dict[str, Any]:
        """The averaged state dict, including running statistics. Needs at least one `update`."""
        seen = 1 - math.prod(min(DECAY, (1 + step) / (10 + step)) for step in range(self.step))
        return {name: value / seen for name, value in self.state_dict.items()}


@dataclass(frozen=True, slots=True)
class StartKept:
    """Averages weights with those that training started from.

    A network that was fine-tuned and its start are joined by a line on which the loss hardly rises, and in
    between is what is best on the new pictures and the old ones (Wortsman et al., Robust fine-tuning of
    zero-shot models, CVPR 2022).
    """

    start: dict[str, Any]
    share: float

    @classmethod
    def of(cls, network: Any, started: Transfer, share: float) -> StartKept:
        """Of a network that has its starting weights. Raises TrainingError if some of them are random."""
        if not share:
            return cls({}, 0.0)
        if not started.whole:
            random = f", but it leaves {len(started.fresh)} layers random" if started.fresh else ""
            raise TrainingError(
                f"train.start_share {share:g} needs a start that has all classes of the data{random}",
                "leave it out, or set model.pretrained to such a model",
            )
        return cls({name: value.clone() for name, value in network.state_dict().items()}, share)

    def __call__(self, weights: dict[str, Any]) -> dict[str, Any]:
        """The average of a state dict with the start's."""
        if not self.share:
            return weights
        return {
            name: (1 - self.share) * value + self.share * self.start[name] for name, value in weights.items()
        }
