"""Which of the machine's GPUs workers get, when CUDA_VISIBLE_DEVICES lets only some of them be seen."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible(variables: Mapping[str, str]) -> list[str] | None:
    """The list that the user gave, of numbers or UUIDs; empty for no GPU, None for all that there are."""
    text = variables.get(VARIABLE)
    if text is None:
        return None
    return [name for part in text.split(",") if (name := part.strip())]


def chosen(numbers: str, variables: Mapping[str, str]) -> str:
    """The list for workers: of the user's, those at the places of a comma list of numbers, as CUDA counts."""
    given = visible(variables)
    return numbers if given is None else ",".join(given[int(number)] for number in numbers.split(","))
