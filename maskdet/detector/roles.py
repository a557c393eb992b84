"""What a label says of a face: masked, bare, or a mask worn wrong, as public data sets spell it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

Role = Literal["masked", "bare", "worn-wrong"]

_WORN_WRONG: Final = re.compile(r"incorrect|wrong|improper|weared|[未没不]正确|不规范|错", re.IGNORECASE)
_BARE: Final = re.compile(r"without|no[\s_-]*(face[\s_-]*)?mask|unmask|未|没|无|不", re.IGNORECASE)
_MASKED: Final = re.compile(r"mask|口罩|戴", re.IGNORECASE)


def label_roles(labels: Sequence[str], given: Mapping[str, Role] | None = None) -> dict[str, Role]:
    """The role of each label whose name tells it, in the order of the labels; `given` goes before names."""
    # Beside a label for masked faces, plain `face` means a bare one.
    beside_masks = any("mask" in label.lower() for label in labels)
    roles = {label: (given or {}).get(label) or _told_by_name(label, beside_masks) for label in labels}
    return {label: role for label, role in roles.items() if role is not None}


def _told_by_name(label: str, beside_masks: bool) -> Role | None:
    if _WORN_WRONG.search(label):
        return "worn-wrong"
    if _BARE.search(label) or (beside_masks and label.lower() == "face"):
        return "bare"
    return "masked" if _MASKED.search(label) else None
