"""What a model was trained on, and which pictures of val it must therefore not be judged on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskdet.dataset.duplicates import near_duplicates
from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.errors import RegistryError

PICTURES: Final = "pictures.json"
"""Beside a registered model: sha256, perceptual hash and part of every picture it was made with."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The pictures that a model was trained on: sha256 of their bytes, and the perceptual hashes of most."""

    digests: frozenset[str]
    hashes: tuple[str, ...]

    def reason(self, picture: ManifestPicture) -> str | None:
        """Why a picture is known to the model, or None."""
        if picture.sha256 in self.digests:
            return "was trained on it"
        alike = any(near_duplicates(picture.phash, other) for other in self.hashes)
        return "was trained on a look-alike" if alike else None


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
        return _read(beside)
    if trained_from == manifest_sha256:
        pictures = manifest.part("train")
        return _lineage({"sha256": each.sha256, "phash": each.phash} for each in pictures)
    return None


def known_pictures(manifest: Manifest, lineages: Mapping[str, Lineage | None]) -> tuple[LeftOut, ...]:
    """The pictures of val that one of the models, by `who`, was trained on."""
    return tuple(
        LeftOut(manifest.name(picture), who, why)
        for picture in manifest.part("val")
        for who, lineage in lineages.items()
        if lineage is not None and (why := lineage.reason(picture))
    )


def _lineage(trained: Iterable[Mapping[str, Any]]) -> Lineage:
    entries = [(str(entry["sha256"]), entry.get("phash") or "") for entry in trained]
    hashes = [phash for _, phash in entries if phash]
    # Not hexadecimal: refused here, and not in the middle of a comparison.
    bytes.fromhex("".join(hashes))
    return Lineage(frozenset(digest for digest, _ in entries), tuple(hashes))


def _read(path: Path) -> Lineage:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        entries = raw["pictures"] if isinstance(raw, dict) else raw
        return _lineage([entry for entry in entries if entry["part"] == "train"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "`maskdet models verify` checks the registry"
        raise RegistryError(f"{path} is damaged: {error}", hint) from error
