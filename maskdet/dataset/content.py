"""What a manifest says, apart from where its folders are: hashed, so that equal data has equal hashes.

Read from plain JSON, without the packages that pictures need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from maskdet.system.files import json_text

_DERIVED = ("phash", "luma")
"""Fields of a picture that follow from its bytes."""


def data_hash(raw: Mapping[str, Any]) -> str:
    """sha256 of labels, roles and pictures (part, bytes, objects), and of names and weights of several roots.

    raw: the JSON of a manifest.
    """
    roots = {root["name"]: root["weight"] for root in raw.get("roots", ())}
    if len(roots) < 2:
        return _sha256(
            {"labels": raw["labels"], "roles": raw.get("roles", {}), "pictures": _pictures(raw, ())}
        )
    told = {"labels": raw["labels"], "roles": raw.get("roles", {}), "roots": roots}
    return _sha256({**told, "pictures": _pictures(raw, ("root",))})


def learnt_hash(raw: Mapping[str, Any]) -> str:
    """sha256 of what weights are learnt from: labels, pictures and how often each is shown.

    Roles only say what the classes mean, and names of roots only what reports call them.
    """
    weights = {root["name"]: root["weight"] for root in raw.get("roots", ())}
    pictures = _pictures(raw, ("root",))
    for picture in pictures:
        weight = weights.get(picture.pop("root", ""), 1.0)
        picture.update({"weight": weight} if weight != 1 else {})
    return _sha256({"labels": raw["labels"], "pictures": pictures})


def _pictures(raw: Mapping[str, Any], kept: tuple[str, ...]) -> list[dict[str, Any]]:
    left_out = {"root", *_DERIVED}.difference(kept)
    return [{k: v for k, v in picture.items() if k not in left_out} for picture in raw["pictures"]]


def _sha256(value: Any) -> str:
    return hashlib.sha256(json_text(value).encode()).hexdigest()
