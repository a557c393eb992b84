"""The text that names a registered model wherever a model file is accepted: models:NAME@ALIAS or @NUMBER."""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Final

from maskdet.errors import RegistryError
from maskdet.wording.names import RULE, is_name

PREFIX: Final = "models:"
CHAMPION: Final = "champion"
"""The alias of the model that is in service."""
ALIAS: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")
"""Starts with a letter, so that no alias looks like a number."""
NUMBER: Final = re.compile(r"0*[1-9][0-9]{0,8}")
FORM: Final = "write models:NAME@ALIAS or models:NAME@NUMBER, such as models:face-mask@champion"


@dataclass(frozen=True, slots=True)
class Reference:
    """A model's name, and the alias or the number of one of its versions."""

    model: str
    wanted: str

    @property
    def number(self) -> int | None:
        """The version's number, None for an alias."""
        return int(self.wanted) if NUMBER.fullmatch(self.wanted) else None

    def __str__(self) -> str:
        return f"{PREFIX}{self.model}@{self.number or self.wanted}"


def is_reference(named: str | PathLike[str]) -> bool:
    """Whether this names a registered model and not a file."""
    return fspath(named).startswith(PREFIX)


def parse_reference(text: str) -> Reference:
    """Read models:NAME@ALIAS or models:NAME@NUMBER. Raises RegistryError."""
    name, at, wanted = text.removeprefix(PREFIX).partition("@")
    if not text.startswith(PREFIX) or not at:
        raise RegistryError(f"{text!r} does not name a version of a model", FORM)
    check_model_name(name)
    if not NUMBER.fullmatch(wanted):
        check_alias(wanted)
    return Reference(name, wanted)


def check_model_name(name: str) -> None:
    """Raise RegistryError for a name that is not one: names become folders."""
    if not is_name(name):
        raise RegistryError(f"a model cannot be called {name[:80]!r}", f"use {RULE}")


def check_alias(alias: str) -> None:
    """Raise RegistryError for an alias that is not one: aliases become files."""
    if not ALIAS.fullmatch(alias):
        raise RegistryError(
            f"an alias cannot be called {alias[:80]!r}",
            "use letters, digits, dots, dashes and underscores, at most 64, a letter first",
        )
