"""RGB of what is drawn on the sheets of mistakes."""

from __future__ import annotations

from typing import Final

from maskdet.detector.outline import Colour

PAPER: Final[Colour] = (255, 255, 255)
INK: Final[Colour] = (30, 30, 30)
TRUTH: Final[Colour] = (0, 125, 200)
"""Blue: the label."""
SAID: Final[Colour] = (215, 75, 0)
"""Orange: the model's answer."""
