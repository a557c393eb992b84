"""What a model was trained on, and which pictures of val it must therefore not be judged on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskdet.dataset.duplicates import MAX_DISTANCE
from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.dataset.pictures import HASH_SIZE
from maskdet.errors import RegistryError
from maskdet.files import sha256_file
from maskdet.types import BoolArray, FloatArray

PICTURES: Final = "pictures.json"
"""Beside a registered model: sha256, perceptual hash and part of every picture it was made with."""
_BITS: Final = HASH_SIZE * HASH_SIZE


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """The pictures that a model was trained on: sha256 of their bytes, and hashes [N, 256] of those that have
    one, as +1 and -1.
    """

    digests: frozenset[str]
    signs: FloatArray

    def reason(self, digest: str, bits: BoolArray | None) -> str | None:
        """Why a picture is known to the model, or None."""
        if digest in self.digests:
            return "was trained on it"
        if bits is None or not len(self.signs):
            return None
        distances = (_BITS - self.signs @ np.where(bits, np.float32(1), np.float32(-1))) / 2
        nearest = int(distances.min())
        return None if nearest > MAX_DISTANCE else f"was trained on a look-alike ({nearest} of {_BITS} bits)"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A picture of val that a model knows from its training: `who` is challenger or champion."""

    picture: str
    who: str
    why: str

    def to_json(self) -> dict[str, str]:
        return {"picture": self.picture, "model": self.who, "why": self.why}


def lineage_of(model: Path, manifest: Manifest, manifest_sha256: str, trained_from: str) -> Lineage | None:
    """From `pictures.json` beside the model, else from the manifest if the model was trained from this one;
    None where neither tells. `manifest_sha256` is of the file, `trained_from` what the bundle states.

    Raises RegistryError for a damaged file.
    """
    beside = model.parent / PICTURES
    if beside.is_file():
        return _lineage(_read(beside))
    if trained_from == manifest_sha256:
        return _lineage(_entry(picture) for picture in manifest.pictures)
    return None


def known_pictures(manifest: Manifest, lineages: Mapping[str, Lineage | None]) -> tuple[LeftOut, ...]:
    """The pictures of val that one of the models, by `who`, was trained on."""
    known = {who: lineage for who, lineage in lineages.items() if lineage is not None}
    hashed = any(len(lineage.signs) for lineage in known.values())
    left_out = []
    for picture in manifest.part("val") if known else ():
        bits = _bits(picture.phash) if hashed else None
        digest = picture.sha256 or sha256_file(manifest.path(picture))
        reasons = ((who, lineage.reason(digest, bits)) for who, lineage in known.items())
        left_out += [LeftOut(manifest.name(picture), who, why) for who, why in reasons if why]
    return tuple(left_out)


def _entry(picture: ManifestPicture) -> dict[str, Any]:
    return {
        "sha256": picture.sha256,
        "phash": getattr(picture, "phash", None),
        "part": picture.part,
    }


def _lineage(entries: Iterable[Mapping[str, Any]]) -> Lineage:
    trained = [entry for entry in entries if entry["part"] == "train"]
    rows = [bits for entry in trained if (bits := _bits(entry.get("phash"))) is not None]
    signs = np.where(np.array(rows, np.bool_).reshape(-1, _BITS), np.float32(1), np.float32(-1))
    return Lineage(frozenset(entry["sha256"] for entry in trained), signs)


def _read(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        entries = raw["pictures"] if isinstance(raw, dict) else raw
        _lineage(entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError(
            f"{path} is damaged: {error}", "`maskdet models verify` checks all of it"
        ) from error
    checked: Sequence[Mapping[str, Any]] = entries
    return checked


def _bits(text: str | None) -> BoolArray | None:
    """The 256 bits of a hash written as hexadecimal text."""
    if not text:
        return None
    packed = np.frombuffer(bytes.fromhex(text), np.uint8)
    bits: BoolArray = np.unpackbits(packed).astype(np.bool_)
    if len(bits) != _BITS:
        raise ValueError(f"a hash of {len(bits)} bits, not {_BITS}")
    return bits
