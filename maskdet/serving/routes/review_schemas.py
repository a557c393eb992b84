"""What the routes under /v1/review take and return."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from maskdet.inbox.boxes import MAX_BOXES, Correction
from maskdet.inbox.listing import Wanted, decided_since, frequencies, is_open, page
from maskdet.inbox.record import How, Record, State
from maskdet.serving.routes.schemas import Schema
from maskdet.system.times import time_text
from maskdet.types import Box

MAX_PAGE = 200
LAST_YEAR = 253_402_300_799.0
"""The end of the year 9999, in seconds since 1970."""
Edge = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=200)]
Revision = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Strict(BaseModel):
    """Base of what clients send."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class CorrectedBox(Strict):
    """One corrected face."""

    label: str
    """One of the model's labels."""
    box: tuple[Edge, Edge, Edge, Edge]
    """x1, y1, x2, y2 in pixels of the picture after its EXIF turn."""
    difficult: bool = False
    """Whether training and evaluation ignore the face."""

    def correction(self) -> Correction:
        """The same for the inbox."""
        return Correction(self.label, self.box, self.difficult)


class ListOptions(Strict):
    """Which pictures are listed, from where on, and how many."""

    state: Literal["open", "proposal", "skipped", "accepted", "corrected", "rejected"] = "open"
    """open: without a final decision, those that were skipped at the end."""
    why: Text = ""
    """Reason: near-threshold, uncertain, models-disagree, mirror-disagrees, random, correction, ..."""
    camera: Text = ""
    """Tag of a camera."""
    model: Text = ""
    """Name of the model that answered."""
    after: Text = ""
    """`next` of the page before."""
    limit: int = Field(50, ge=1, le=MAX_PAGE)
    """Most pictures in the response."""
    since: float | None = Field(None, ge=0, le=LAST_YEAR, allow_inf_nan=False)
    """Start of the day whose decisions are counted, in seconds since 1970; by default of the day in UTC."""


class DecisionBody(Strict):
    """A person's word on a picture."""

    decision: How
    """accept: the proposed boxes are right; correct: those in `boxes` are; skip: for later; reject: the
    picture is of no use."""
    revision: Revision
    """The picture's revision that the person saw: another one is a 409."""
    boxes: list[CorrectedBox] | None = Field(None, max_length=MAX_BOXES)
    """With correct: all faces of the picture."""


class UndoBody(Strict):
    """Takes a decision back."""

    revision: Revision
    """The picture's revision that the person saw: another one is a 409."""


class ReviewFace(Schema):
    """A face of a picture: as proposed while it has no final decision, else as decided."""

    label: str
    box: Box
    """x1, y1, x2, y2 in pixels of the picture."""
    score: float | None = None
    """Of a proposed face."""
    disputed: bool = False
    """Whether this face is why the picture is there."""
    difficult: bool = False
    """Whether training and evaluation ignore the face."""


class ReviewDecision(Schema):
    """Who decided, and when."""

    decision: How
    by: str
    """Name of the API key; empty if the server has no keys."""
    at: str
    """In UTC."""


class ReviewPicture(Schema):
    """A picture of the inbox."""

    name: str = Field(examples=["3f1c5d0a9b2e7714"])
    state: State
    revision: int
    """Counts the changes; a decision names the one that it is about."""
    width: int
    height: int
    why: str
    """Why it is there."""
    about: str
    """More about the reason."""
    at: str
    """When it came, in UTC."""
    camera: str
    model: str
    """Name of the model that answered."""
    bundle: str
    """The first characters of its bundle's sha256."""
    version: str
    """Its version in the registry, if it has one."""
    faces: list[ReviewFace]
    decision: ReviewDecision | None


class ReviewAnswer(Schema):
    """One page of pictures, and what is left of all."""

    pictures: list[ReviewPicture]
    next: str
    """`after` for the next page; empty if there is none."""
    left: dict[str, int] = Field(examples=[{"proposal": 12, "skipped": 3}])
    """Pictures without a final decision by state."""
    today: dict[str, int] = Field(examples=[{"accepted": 20, "rejected": 1}])
    """Decisions of the day by state."""
    whys: dict[str, int]
    """Pictures without a final decision by reason."""
    cameras: dict[str, int]
    """Likewise by camera."""
    models: dict[str, int]
    """Likewise by model."""


def review_answer(records: list[Record], options: ListOptions) -> ReviewAnswer:
    """The response of GET /v1/review/pictures."""
    wanted = Wanted(options.state, options.why, options.camera, options.model)
    shown, after = page(records, wanted, options.after, options.limit)
    left = [one for one in records if is_open(one)]
    return ReviewAnswer(
        pictures=[review_picture(one) for one in shown],
        next=after,
        left=frequencies([one.state for one in left]),
        today=decided_since(records, _day(options.since)),
        whys=frequencies([one.why for one in left]),
        cameras=frequencies([one.origin.camera for one in left]),
        models=frequencies([one.origin.model for one in left]),
    )


def review_picture(record: Record) -> ReviewPicture:
    """A record on the wire."""
    faces = record.boxes if record.trains else record.proposed
    decision = record.decision
    return ReviewPicture(
        name=record.name,
        state=record.state,
        revision=record.revision,
        width=record.width,
        height=record.height,
        why=record.why,
        about=record.about,
        at=record.at,
        camera=record.origin.camera,
        model=record.origin.model,
        bundle=record.origin.bundle,
        version=record.origin.version,
        faces=[ReviewFace(**one.model_dump()) for one in faces],
        decision=ReviewDecision(decision=decision.how, by=decision.by, at=decision.at) if decision else None,
    )


def _day(since: float | None) -> str:
    now = datetime.now(timezone.utc)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return time_text(start if since is None else datetime.fromtimestamp(since, timezone.utc))
