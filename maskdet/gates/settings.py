"""The `gates` section of pipeline.yml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from maskdet.errors import UsageError
from maskdet.settings import Section
from maskdet.wording.names import write_instead

Share = Annotated[float, Field(ge=0, le=1)]
Judge = Literal["strict", "value", "lenient", "off"]
NONE: Final = "none"
"""Of `gates.champion`: there is none to compare with."""


class Counts(Section):
    """What val has to hold for a rule to be measured. A rule with fewer is refused as unmeasured."""

    pictures: int = Field(50, ge=1)
    """Pictures, after those that a model was trained on are left out."""
    faces: int = Field(100, ge=1)
    """Labelled faces that are not difficult."""
    class_faces: int = Field(10, ge=1)
    """Faces of a class, for the rules of that class, and faces of a slice, for the rules of that slice."""
    bare_faces: int = Field(35, ge=1)
    """Bare faces, for the rules about bare faces passed as masked. With fewer than 35 no model can keep the
    default of limits.bare_passed, not even one that passes none."""


class Floors(Section):
    """The lowest figures of the challenger by itself."""

    judge: Judge = "value"
    """What has to keep the floors: strict, the lower end of the 95 % interval; value, the figure itself;
    lenient, the upper end; off: no floors."""
    ap50: Share = 0.5
    """AP50 over all classes."""
    ap50_95: Share = 0.0
    """AP50:95 over all classes."""
    class_ap50: dict[str, Share] = Field(default_factory=dict)
    """AP50 by label."""
    class_recall: dict[str, Share] = Field(default_factory=dict)
    """Recall at the shipped thresholds by label."""
    slice_ap50: dict[str, Share] = Field(default_factory=dict)
    """AP50 by slice, such as "face_pixels.>16": 0.6; names as for gates.slices."""
    slice_recall: dict[str, Share] = Field(default_factory=dict)
    """Recall at the shipped thresholds by slice."""

    def check_labels(self, labels: Sequence[str]) -> None:
        """Raise UsageError for a floor of a label that is not among `labels`."""
        for key, named in (("class_ap50", self.class_ap50), ("class_recall", self.class_recall)):
            for label in named:
                if label not in labels:
                    what = f"gates.floors.{key}: the data has no label {label}"
                    raise UsageError(what, write_instead(label, labels))


class Margin(Section):
    """How much worse than the champion's a figure of a class or slice may be. These have few faces and vary
    most, so by default val has to show that the challenger is worse.
    """

    judge: Judge = "lenient"
    """What has to keep the margin: strict, the worse end of the difference's paired 95 % interval; value, the
    difference itself; lenient, the better end; off: no rule."""
    absolute: float | None = Field(0.02, ge=0)
    """As a share: 0.02 is two points of AP, or two of a hundred faces."""
    relative: float | None = Field(None, ge=0)
    """As a fraction of the champion's figure; where both are given, both have to hold."""

    @model_validator(mode="after")
    def _some_margin(self) -> Margin:
        if self.absolute is None and self.relative is None:
            raise ValueError("neither absolute nor relative is given; judge: off leaves the rule out")
        return self

    def allowed(self, champion: float) -> float:
        """How much worse than this figure of the champion's is allowed."""
        fraction = None if self.relative is None else self.relative * abs(champion)
        return min(given for given in (self.absolute, fraction) if given is not None)


class OverallMargin(Margin):
    """For the figures over all of val: val has to show that the challenger is good enough."""

    judge: Judge = "strict"
    """What has to keep the margin: strict, the worse end of the difference's paired 95 % interval; value, the
    difference itself; lenient, the better end; off: no rule."""
    absolute: float | None = Field(0.03, ge=0)
    """As a share: 0.03 is three points of AP."""


class BareMargin(Margin):
    """For bare faces passed as masked."""

    judge: Judge = "value"
    """What has to keep the margin: strict, the worse end of the difference's paired 95 % interval; value, the
    difference itself; lenient, the better end; off: no rule."""
    absolute: float | None = Field(0.02, ge=0)
    """As a share: 0.02 is two of a hundred bare faces."""


class AlarmMargin(Margin):
    """For false alarms."""

    judge: Judge = "value"
    """What has to keep the margin: strict, the worse end of the difference's paired 95 % interval; value, the
    difference itself; lenient, the better end; off: no rule."""
    absolute: float | None = Field(25, ge=0)
    """False alarms per 1000 faces."""


class NotWorse(Section):
    """The comparison with the champion, on the same pictures, each model at its own thresholds."""

    p95_ratio: float | None = Field(1.25, gt=0)
    """95th percentile of the milliseconds of one core per picture, over the champion's; the better end of its
    interval has to keep the limit; null: no rule."""
    size_ratio: float | None = Field(1.25, gt=0)
    """Size of the model file, over the champion's; null: no rule."""
    ap50: OverallMargin = OverallMargin()
    """AP50 over all classes."""
    ap50_95: OverallMargin = OverallMargin()
    """AP50:95 over all classes."""
    class_ap50: Margin = Margin()
    """AP50 of each class."""
    class_recall: Margin = Margin()
    """Recall of each class at the shipped thresholds."""
    slice_recall: Margin = Margin()
    """Recall at the shipped thresholds in each slice of gates.slices."""
    bare_passed: BareMargin = BareMargin()
    """Share of bare faces passed as masked."""
    false_alarms: AlarmMargin = AlarmMargin()
    """False alarms per 1000 faces."""


class Limits(Section):
    """The highest figures of the challenger by itself."""

    bare_passed: Share = 0.1
    """Share of bare faces passed as masked."""
    bare_passed_judge: Judge = "strict"
    """What has to keep the limit: strict, the upper end of Wilson's 95 % interval; value, the share itself;
    lenient, the lower end; off: no limit."""
    false_alarms: float | None = Field(200, ge=0)
    """False alarms per 1000 faces; null: no limit."""
    p95_ms: float | None = Field(None, gt=0)
    """95th percentile of the milliseconds of one core per picture, on the machine that decides; null: no
    limit."""
    size_mb: float | None = Field(None, gt=0)
    """Size of the model file in MB; null: no limit."""


class GateSettings(Section):
    """When a challenger may take the champion's place: `maskdet gates`."""

    champion: Path | None = None
    """The model to compare with: models:NAME@ALIAS, the path of a bundle, the name of a shipped one, such as
    default, or none for a first model. If not given: the registry's champion of the pipeline's name, if there
    is one."""
    slices: tuple[str, ...] = ("face_pixels.>16",)
    """Parts of val in which recall is compared: face_pixels.<=8, 8-16, 16-32, >16 or >32;
    faces_per_picture.1, 2-5, 6-15 or >15; brightness.dark, medium or bright; collection.NAME."""
    parity: bool = True
    """Require export's proof that trainer, Paddle inference and ONNX Runtime agree."""
    latency_pictures: int = Field(40, ge=2)
    """Pictures of val on which the time of both models is taken, in turn."""
    counts: Counts = Counts()
    """What val has to hold."""
    floors: Floors = Floors()
    """The lowest figures of the challenger by itself."""
    limits: Limits = Limits()
    """The highest figures of the challenger by itself."""
    not_worse: NotWorse = NotWorse()
    """The comparison with the champion."""
