"""A picture that may be worth a person's look, and its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskdet.dataset.likeness import perceptual_hash
from maskdet.inbox.encoding import storable
from maskdet.inbox.naming import NAME_LENGTH, sha256_of
from maskdet.inbox.record import NO_ORIGIN, Origin, ProposedFace, Record
from maskdet.system.times import now_text
from maskdet.types import Box, Picture


@dataclass(frozen=True, slots=True)
class Proposal:
    """`data`: the encoded picture, stored as it is where `prepare` reads its format; `pixels`: the same,
    decoded; `blurred`: faces in it that were made unrecognisable; `about`: more about the reason, in words.
    """

    data: bytes
    pixels: Picture
    faces: Sequence[ProposedFace]
    why: str
    origin: Origin = NO_ORIGIN
    blurred: Sequence[Box] = ()
    about: str = ""

    def recorded(self) -> tuple[Record, bytes]:
        """The record of the picture as a proposal, and the bytes to store."""
        height, width = self.pixels.shape[:2]
        kept, suffix = storable(self.data, self.pixels)
        digest = sha256_of(kept)
        record = Record(
            name=digest[:NAME_LENGTH],
            suffix=suffix,
            state="proposal",
            sha256=digest,
            phash=perceptual_hash(self.pixels),
            width=width,
            height=height,
            size=len(kept),
            why=self.why,
            at=now_text(),
            origin=self.origin,
            about=self.about,
            proposed=_acceptable(self.faces, width, height),
            blurred=tuple(self.blurred),
        )
        return record, kept


def _acceptable(faces: Sequence[ProposedFace], width: int, height: int) -> tuple[ProposedFace, ...]:
    """What can be accepted as it is: boxes with an area inside the picture, each once."""
    kept: dict[tuple[int, ...], ProposedFace] = {}
    for face in faces:
        x1, y1, x2, y2 = np.clip(face.box, 0, (width, height, width, height)).round(2).tolist()
        whole = (round(x1), round(y1), round(x2), round(y2))
        if whole[0] < whole[2] and whole[1] < whole[3]:
            kept.setdefault(whole, face.model_copy(update={"box": (x1, y1, x2, y2)}))
    return tuple(kept.values())
