"""Which of the machine's GPUs workers get, when CUDA_VISIBLE_DEVICES lets only some of them be seen."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "CUDA_VISIBLE_DEVICES"
_NONE = "all"
"""No GPU's name, so that CUDA shows none; Paddle's launcher counts any other text as GPUs to hand out."""


def visible(variables: Mapping[str, str]) -> list[str] | None:
    """The list that the user gave, of numbers or UUIDs; empty for no GPU, None for all that there are."""
    text = variables.get(VARIABLE)
    if text is None:
        return None
    return [name for part in text.split(",") if (name := part.strip())]


def passed_on(devices: str, processes: int, variables: Mapping[str, str]) -> dict[str, str]:
    """The variable as workers are to have it; empty where they inherit the user's.

    `devices` is "cpu" or a comma list of numbers, which count within the user's list as CUDA itself counts.
    """
    if devices == "cpu":
        return {VARIABLE: _NONE} if processes > 1 else {}
    given = visible(variables)
    numbers = devices.split(",")
    return {VARIABLE: ",".join(numbers if given is None else [given[int(number)] for number in numbers])}
