"""From one revision of a record to the next: what a person's word makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from maskdet.dataset.likeness import perceptual_hash
from maskdet.detector.picture import PictureLimits, decode
from maskdet.inbox.boxes import Correction, pixel_boxes
from maskdet.inbox.encoding import storable
from maskdet.inbox.naming import NAME_LENGTH, sha256_of
from maskdet.inbox.record import (
    CORRECTION,
    NO_ORIGIN,
    STATES,
    Decision,
    How,
    LabelledFace,
    Origin,
    ProposedFace,
    Record,
)
from maskdet.inbox.refusals import BadBoxes, DecidedMeanwhile
from maskdet.system.times import now_text


def sent(
    data: bytes, corrections: Sequence[Correction], limits: PictureLimits, by: str, origin: Origin
) -> tuple[Record, bytes]:
    """The record of a picture that a person sends with its boxes, and the bytes to store.

    Raises PictureError and BadBoxes.
    """
    pixels = decode(data, limits)
    height, width = pixels.shape[:2]
    pixel_boxes(corrections, width, height)
    kept, suffix = storable(data, pixels)
    digest, now = sha256_of(kept), now_text()
    record = Record(
        name=digest[:NAME_LENGTH],
        suffix=suffix,
        state="corrected",
        sha256=digest,
        phash=perceptual_hash(pixels),
        width=width,
        height=height,
        size=len(kept),
        why=CORRECTION,
        at=now,
        origin=origin,
        boxes=_faces(corrections),
        decision=Decision(how="correct", by=by, at=now),
    )
    return record, kept


def sent_again(old: Record, record: Record) -> Record:
    """The record of a picture that was there already: it keeps why, since when and from where."""
    kept = ("why", "about", "proposed", "at", "blurred")
    origin = record.origin if old.origin == NO_ORIGIN else old.origin
    changes = {key: getattr(old, key) for key in kept}
    return record.model_copy(update={**changes, "origin": origin} | _next(old))


def decided(old: Record, how: How, by: str, faces: Sequence[Correction] | None) -> Record:
    """The record after a decision; `faces` only for correct. Raises BadBoxes."""
    decision = Decision(how=how, by=by, at=now_text())
    changes = {"state": STATES[how], "boxes": _boxes(old, how, faces), "decision": decision}
    return old.model_copy(update=changes | _next(old))


def undone(old: Record) -> Record:
    """The record as a proposal again, with the boxes that the model proposed, if it did."""
    proposed = old.proposed or tuple(ProposedFace(**one.model_dump()) for one in old.boxes)
    # It waits anew: what came long ago would otherwise expire before anybody has seen it.
    changes = {"state": "proposal", "boxes": (), "decision": None, "undone": now_text(), "proposed": proposed}
    return old.model_copy(update=changes | _next(old))


def check_revision(record: Record, revision: int) -> None:
    """Raise DecidedMeanwhile if the record is no longer the one that a person saw."""
    if record.revision != revision:
        by = record.decision.by if record.decision else ""
        whom = f" by {by}" if by else ""
        raise DecidedMeanwhile(
            f"the picture has been changed meanwhile{whom}: it is {record.state}",
            "load it again, then decide",
        )


def _next(old: Record) -> dict[str, int]:
    return {"revision": old.revision + 1}


def _boxes(old: Record, how: How, faces: Sequence[Correction] | None) -> tuple[LabelledFace, ...]:
    if how == "accept":
        return _faces(old.proposed)
    if how != "correct":
        return ()
    if faces is None:
        raise BadBoxes("correct needs the boxes of all faces", "send them; [] for a picture without faces")
    pixel_boxes(faces, old.width, old.height)
    return _faces(faces)


def _faces(faces: Sequence[Correction | ProposedFace]) -> tuple[LabelledFace, ...]:
    return tuple(LabelledFace(label=one.label, box=one.box, difficult=one.difficult) for one in faces)
