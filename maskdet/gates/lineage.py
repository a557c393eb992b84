"""What a model was trained on, and which pictures of val it must therefore not be judged on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maskdet.dataset.checking.duplicates import like_any
from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.registry.records import PictureRecord


@dataclass(frozen=True, slots=True)
class Lineage:
    """The pictures that a model was trained on: sha256 of their bytes, and the perceptual hashes of most."""

    digests: frozenset[str]
    hashes: tuple[str, ...]

    def reasons(self, pictures: Sequence[ManifestPicture]) -> list[str | None]:
        """Why each picture is known to the model, or None."""
        alike = like_any((picture.phash for picture in pictures), self.hashes)
        return [self._reason(picture, picture.phash in alike) for picture in pictures]

    def _reason(self, picture: ManifestPicture, alike: bool) -> str | None:
        if picture.sha256 in self.digests:
            return "was trained on it"
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
    val = manifest.part("val")
    reasons = {who: lineage.reasons(val) for who, lineage in lineages.items() if lineage is not None}
    return tuple(
        LeftOut(manifest.name(picture), who, why)
        for at, picture in enumerate(val)
        for who, known in reasons.items()
        if (why := known[at])
    )
