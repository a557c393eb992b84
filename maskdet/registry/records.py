"""What the registry writes down: a version's record, its pictures, and the lines of a model's history."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from maskdet.settings import Section

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Part = Literal["train", "val"]
SHORT: Final = 12
"""Characters of a hash that people see."""


class PictureRecord(Section):
    """A picture that the model has seen. `phash` is its perceptual hash in hexadecimal, "" for a picture of
    one tone, or one that was forgotten; `inherited`: it was seen by the weights that the training started
    from.
    """

    sha256: Sha256
    phash: str
    part: Part
    inherited: bool = False


class Lineage(Section):
    """Where a version comes from; what is not known is left empty."""

    source: str = ""
    """What was registered, such as runs/face-mask or a file's name."""
    parent: str = ""
    """Reference of the version whose weights the training started from."""
    start: str = ""
    """The weights that the training started from, in words."""
    data_sha256: str = ""
    """Hash of the manifest's content."""
    pictures: dict[str, int] = Field(default_factory=dict)
    """Pictures of the data set, by part."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """The pipeline file in force, overrides included, by dotted key."""
    checkpoint_sha256: str = ""
    """Hash of the checkpoint that was exported."""
    code: dict[str, str] = Field(default_factory=dict)
    """Versions of maskdet and of the packages that made the bundle, and the commit of the project."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Figures on val, as in the bundle."""
    counts: dict[str, int] = Field(default_factory=dict)
    """What the figures are measured on: pictures, and faces by label."""
    parity: dict[str, Any] = Field(default_factory=dict)
    """How closely the exported files agree."""
    gates: dict[str, Any] = Field(default_factory=dict)
    """The verdict of the gates."""


class VersionRecord(Section):
    """version.json. Nothing in a version's folder changes, except that a signature may join it."""

    format: Literal[1] = 1
    model: str
    number: int = Field(ge=1)
    created: str
    """When it was registered, UTC."""
    by: str
    bundle: Sha256
    """Hash of the bundle."""
    files: dict[str, Sha256]
    """Hash of each other file, by name."""
    lineage: Lineage = Lineage()


class Registered(Section):
    """A version joined the model. `record` is the hash of its version.json."""

    event: Literal["registered"] = "registered"
    at: str
    by: str
    number: int
    bundle: Sha256
    record: Sha256


class Judged(Section):
    """The gates judged a version, whose record holds the first verdict only.

    reasons: of a refusal; fingerprint: of what the verdict depends on.
    """

    event: Literal["judged"] = "judged"
    at: str
    by: str
    number: int
    passed: bool
    reasons: tuple[str, ...] = ()
    fingerprint: Sha256


class Move(Section):
    """An alias was moved from version `before`, None if it did not exist, to version `after`."""

    event: Literal["promoted", "rolled back"] = "promoted"
    at: str
    by: str
    alias: str
    before: int | None
    after: int
    why: str = ""

    def describe(self) -> str:
        """The move in words."""
        start = "" if self.before is None else f" from {self.before}"
        return f"{self.alias}{start} to {self.after}"


class Signed(Section):
    """A version was signed. `key` is the hash of the public key."""

    event: Literal["signed"] = "signed"
    at: str
    by: str
    number: int
    key: Sha256


class Pruned(Section):
    """A version was removed; its number is not used again."""

    event: Literal["pruned"] = "pruned"
    at: str
    by: str
    number: int
    bundle: Sha256


Event = Registered | Judged | Move | Signed | Pruned
EVENT: Final[TypeAdapter[Event]] = TypeAdapter(Annotated[Event, Field(discriminator="event")])
