"""Why a rule rules as it does: the key of a sentence, and the values in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ENGLISH: Final[Mapping[str, str]] = {
    "no_profile": "the bundle has no profile to compare with: export it again",
    "no_picture": "no picture yet",
    "as_on_val": "as on val",
    "differs": "what is seen differs from val; chance explains {chance}",
    "needs": "chance could explain the limit; it needs {least}",
    "val_too_small": "chance could explain the limit; val itself has too few",
    "shares": "{seen} of the pictures, {val} on val; chance explains {chance}",
    "labelled_since": "labelled since this version began to answer",
    "no_inbox": "no inbox is named",
}
"""By key. Words in braces are filled in."""


@dataclass(frozen=True, slots=True)
class Reason:
    """key: one of ENGLISH; values: what is filled in, written as in any language."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return ENGLISH[self.key].format(**self.values)
