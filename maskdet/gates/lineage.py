"""What a model was trained on, and which pictures of val it must therefore not be judged on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from maskdet.dataset.duplicates import near_duplicates
from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.registry.records import PictureRecord


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


def lineage_of(pictures: Iterable[PictureRecord | ManifestPicture]) -> Lineage:
    """Of a model, by the pictures that it was trained and validated on."""
    trained = [each for each in pictures if each.part == "train"]
    hashes = tuple(each.phash for each in trained if each.phash)
    return Lineage(frozenset(each.sha256 for each in trained), hashes)


def known_pictures(manifest: Manifest, lineages: Mapping[str, Lineage | None]) -> tuple[LeftOut, ...]:
    """The pictures of val that one of the models, by `who`, was trained on."""
    return tuple(
        LeftOut(manifest.name(picture), who, why)
        for picture in manifest.part("val")
        for who, lineage in lineages.items()
        if lineage is not None and (why := lineage.reason(picture))
    )
