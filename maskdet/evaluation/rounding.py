"""Rounding of written figures, so that the same model gives the same bytes everywhere."""

from __future__ import annotations

from typing import Final, overload

from maskdet.evaluation.intervals import Interval

_DECIMALS: Final = 6


@overload
def rounded(value: float) -> float: ...
@overload
def rounded(value: None) -> None: ...
@overload
def rounded(value: float | None) -> float | None: ...
def rounded(value: float | None) -> float | None:
    """The figure for a file; an undefined None stays None."""
    return None if value is None else round(value, _DECIMALS)


def rounded_ends(interval: Interval | None) -> list[float] | None:
    """Both ends of an interval, if there is one."""
    return None if interval is None else [rounded(end) for end in interval]
