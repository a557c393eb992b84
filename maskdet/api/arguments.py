"""What several functions take, checked before it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from maskdet.errors import UsageError


def refuse_text(name: str, values: Sequence[str] | None) -> None:
    """Raises UsageError for a string in place of a list: its letters would be the values."""
    if isinstance(values, str):
        raise UsageError(f"{name} is the string {values!r}", f"pass a list: {name}=[{values!r}]")


def checked_overrides(overrides: Sequence[str]) -> Sequence[str]:
    """Raises UsageError for a string, and for a dict, as others take."""
    refuse_text("overrides", overrides)
    if isinstance(overrides, Mapping):
        listed = [f"{key}={value}" for key, value in overrides.items()]
        raise UsageError("overrides is a dict", f"pass a list: overrides={listed!r}")
    return overrides


def model_path(model: str | PathLike[str]) -> Path:
    """Raises UsageError for what is no name, such as a loaded detector."""
    try:
        return Path(model)
    except TypeError as error:
        raise UsageError(
            f"an object of type {type(model).__name__} does not name a model",
            'pass its name, such as "default"',
        ) from error
