"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Health = Literal["ok", "note", "fault"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the diagnosis. A fault keeps some command from working; `hint` is what fixes it."""

    health: Health
    subject: str
    text: str
    hint: str = ""
