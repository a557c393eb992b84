"""Suspected label errors on their way into the review queue of an inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from maskdet.dataset.manifest import Manifest, ManifestPicture
from maskdet.detector.bundle import Bundle
from maskdet.detector.picture import decode
from maskdet.inbox.inbox import Inbox
from maskdet.inbox.proposal import Proposal
from maskdet.inbox.record import Origin, ProposedFace
from maskdet.judging.audit.suspects import AuditResult, Suspect
from maskdet.progress import Track, silent

WHY: Final = "label-audit"
"""Why the pictures are in the inbox, in their records."""


def propose_suspects(
    result: AuditResult, manifest: Manifest, bundle: Bundle, inbox: Inbox, track: Track = silent
) -> int:
    """Propose each picture with a suspect once, most suspicious first; returns how many were not there yet.

    The boxes are the labels with the model's in place of those it contradicts, so accepting a picture means
    that the model is right about all of them. Raises InboxFull, InboxBusy, and PictureError.
    """
    origin = Origin(model=bundle.meta.name, bundle=bundle.sha256[:12])
    pictures = {manifest.name(picture): picture for picture in manifest.pictures}
    by_picture: dict[str, list[Suspect]] = {}
    for suspect in result.suspects:
        by_picture.setdefault(suspect.picture, []).append(suspect)
    new = 0
    for name, suspects in track(by_picture.items(), "proposing", len(by_picture)):
        proposal = _proposal(manifest, pictures[name], suspects, origin)
        # Look-alikes may be labelled differently, which is a reason to see both.
        new += inbox.propose(proposal, alike_too=True) is not None
    return new


def proposed_faces(picture: ManifestPicture, suspects: Sequence[Suspect]) -> list[ProposedFace]:
    """The labels, with the model's answer in place of each suspect."""
    contradicted: Mapping[int | None, Suspect] = {suspect.row: suspect for suspect in suspects}
    faces = [
        ProposedFace(label=item.label, box=item.box, difficult=item.difficult)
        for row, item in enumerate(picture.objects)
        if row not in contradicted
    ]
    return faces + [
        ProposedFace(label=one.said, box=one.said_box, score=round(one.score, 4), disputed=True)
        for one in suspects
    ]


def _proposal(
    manifest: Manifest, picture: ManifestPicture, suspects: Sequence[Suspect], origin: Origin
) -> Proposal:
    data = manifest.path(picture).read_bytes()
    about = "; ".join(_about(suspect) for suspect in suspects)
    return Proposal(data, decode(data), proposed_faces(picture, suspects), WHY, origin, about=about)


def _about(suspect: Suspect) -> str:
    labelled = f", labelled {suspect.label}" if suspect.kind == "swapped" else ""
    return f"{suspect.kind}: {suspect.said} {suspect.score:.2f}{labelled}"
