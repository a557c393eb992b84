"""The moving average of a network's weights, which is evaluated and saved. Worker side."""

from __future__ import annotations

import math
from typing import Any

from ppdet.optimizer import ModelEMA

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
