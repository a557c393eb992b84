"""Which of the machine's GPUs workers get if CUDA_VISIBLE_DEVICES exposes only some of them."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible(variables: Mapping[str, str]) -> list[str] | None:
    """The user's list, of numbers or UUIDs; empty for no GPU, None for all."""
    text = variables.get(VARIABLE)
    if text is None:
        return None
    return [name for part in text.split(",") if (name := part.strip())]


def chosen(numbers: str, variables: Mapping[str, str]) -> str:
    """The list for workers: the entries of the user's list at the given comma-separated CUDA numbers."""
    given = visible(variables)
    return numbers if given is None else ",".join(given[int(number)] for number in numbers.split(","))
