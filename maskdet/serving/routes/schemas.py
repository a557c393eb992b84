"""The native API's responses as typed models; the OpenAPI document is generated from them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from maskdet.detector.records import detection_records
from maskdet.detector.threshold_policy import PolicyName, ThresholdPolicy
from maskdet.detector.verdict import Decision
from maskdet.serving.engine.served_model import PictureResult, ServedModel, bundle_id
from maskdet.serving.http.problems import Problem
from maskdet.types import Box, Detections
from maskdet.wording.lexicon import Role


class Schema(BaseModel):
    """Base of all responses: attribute docstrings become OpenAPI descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class DetectionBody(Schema):
    """One face."""

    label: str = Field(examples=["with_mask"])
    score: float = Field(examples=[0.98])
    """How sure the model is, 0 to 1."""
    box: Box = Field(examples=[(12.4, 9.1, 80.0, 77.2)])
    """x1, y1, x2, y2 in pixels of the picture after its EXIF turn."""


class VerdictBody(Schema):
    """Whether the picture complies with the mask rule."""

    outcome: Decision
    """violation: a face breaks the rule; uncertain: a face is just below its threshold, or has a label
    without a role; else ok."""
    counts: dict[str, int] = Field(examples=[{"with_mask": 1, "without_mask": 0}])
    """Faces that reach their thresholds by label, including those that max_detections leaves out."""


class TimingBody(Schema):
    """Milliseconds by stage."""

    queue: float
    decode: float
    preprocess: float
    inference: float
    postprocess: float
    draw: float
    """Drawing and encoding, with visualize."""


class AnswererBody(Schema):
    """The model behind a response."""

    name: str
    bundle: str = Field(examples=["3f1c5d0a9b2e"])
    """The first characters of the bundle file's sha256."""
    version: int | None = None
    """Its number in the registry; absent for a model that is not registered."""


class PictureAnswer(Schema):
    """What was found in one picture."""

    index: int
    """Place of the picture in the request, from 0."""
    filename: str
    """The file name from the client; empty if none."""
    width: int
    """Pixels, after the EXIF turn."""
    height: int
    """Pixels, after the EXIF turn."""
    detections: list[DetectionBody]
    """Best score first."""
    candidates: list[DetectionBody] | None = None
    """With candidates: everything the model proposed, whatever the thresholds; absent otherwise. The digits
    restore each single-precision number exactly, so the result at other thresholds can be computed."""
    verdict: VerdictBody
    threshold_policy: PolicyName
    """How the thresholds of this response were chosen: like the model's own, or override, the request's."""
    timing_ms: TimingBody
    model: AnswererBody
    image: str | None = None
    """With visualize: the picture with its boxes drawn, a JPEG in base64; absent otherwise."""


class PictureFault(Schema):
    """Why one of several pictures could not be processed."""

    index: int
    filename: str
    error: Problem


class DetectAnswer(Schema):
    """One entry for each picture, in the order sent."""

    request_id: str
    results: list[PictureAnswer | PictureFault]


class ModelBody(Schema):
    """A loaded model."""

    name: str
    bundle: str
    """sha256 of the bundle file."""
    version: int | None = None
    """Its number in the registry; null for a model that is not registered."""
    variant: str
    labels: list[str]
    input_size: tuple[int, int]
    """Height and width of the network input in pixels."""
    thresholds: dict[str, float]
    """Lowest score that counts, by label."""
    roles: dict[str, Role]
    """Role of each label; a label left out has no known role."""
    threshold_policy: ThresholdPolicy
    violation_labels: list[str]
    """Labels that break the mask rule."""
    unknown_labels: list[str]
    """Labels for which it is unknown whether they comply."""
    metrics: dict[str, float]
    licence: str
    refused: str = ""
    """Why the newest file at the model's path was refused; empty if there is none."""


class ModelsAnswer(Schema):
    """The first model is used if a request names none."""

    models: list[ModelBody]


class ServedBody(Schema):
    """Which model answers, without its details."""

    name: str
    bundle: str = Field(examples=["3f1c5d0a9b2e"])
    """The first characters of the bundle file's sha256."""
    version: int | None = None
    """Its number in the registry; absent for a model that is not registered."""
    refused: bool = False
    """Whether a newer one was refused; GET /v1/models says why."""


class HealthAnswer(Schema):
    """`reason` says why the server is not ready."""

    status: str
    reason: str = ""
    models: list[ServedBody] | None = None
    """What is served, once it is ready."""


def picture_answer(
    result: PictureResult, *, index: int, filename: str, candidates: bool = False
) -> PictureAnswer:
    """One result on the wire."""
    height, width = result.size
    return PictureAnswer(
        index=index,
        filename=filename,
        width=width,
        height=height,
        detections=detection_bodies(result.model, result.detections),
        candidates=_exact_bodies(result.model, result.candidates) if candidates else None,
        verdict=VerdictBody(outcome=result.verdict.outcome, counts=result.verdict.counts),
        threshold_policy=result.policy,
        timing_ms=_timing(result),
        model=_answerer(result.model),
        image=base64.b64encode(result.drawn).decode("ascii") if result.drawn is not None else None,
    )


def _answerer(model: ServedModel) -> AnswererBody:
    return AnswererBody(name=model.name, bundle=bundle_id(model), version=model.version)


def served_bodies(models: Mapping[str, ServedModel], refused: Mapping[str, str]) -> list[ServedBody]:
    """The models for GET /health/ready. `refused` as for `models_answer`."""
    return [
        ServedBody(name=name, bundle=bundle_id(model), version=model.version, refused=name in refused)
        for name, model in models.items()
    ]


def detection_bodies(model: ServedModel, found: Detections) -> list[DetectionBody]:
    """Detections by label, on the wire."""
    return [DetectionBody(**record) for record in detection_records(found, model.meta.labels)]


def _exact_bodies(model: ServedModel, found: Detections) -> list[DetectionBody]:
    labels = model.meta.labels
    return [
        DetectionBody(label=labels[class_id], score=_digits(score), box=tuple(map(_digits, box)))
        for box, score, class_id in zip(
            found.boxes.tolist(), found.scores.tolist(), found.class_ids.tolist(), strict=True
        )
    ]


def _digits(single: float) -> float:
    """The nine digits that identify a single-precision number."""
    return float(f"{single:.9g}")


class ReloadedBody(Schema):
    """The outcome for one model."""

    name: str
    bundle: str
    """sha256 of the bundle in use."""
    version: int | None = None
    """Its number in the registry; absent for a model that is not registered."""
    outcome: Literal["swapped", "unchanged"]


class ReloadAnswer(Schema):
    """One entry for each model that was checked."""

    models: list[ReloadedBody]


def models_answer(models: Mapping[str, ServedModel], refused: Mapping[str, str]) -> ModelsAnswer:
    """The response of GET /v1/models. `refused`: by model, why its newest file was refused."""
    return ModelsAnswer(models=[_model_body(model, refused.get(name, "")) for name, model in models.items()])


def _model_body(model: ServedModel, refused: str) -> ModelBody:
    meta = model.meta
    return ModelBody(
        name=model.name,
        bundle=model.sha256,
        version=model.version,
        variant=meta.variant,
        labels=list(meta.labels),
        input_size=meta.input_size,
        thresholds=meta.thresholds,
        threshold_policy=meta.threshold_policy,
        roles=meta.roles,
        violation_labels=sorted(model.rule.violations),
        unknown_labels=sorted(model.rule.unknown),
        metrics=meta.metrics,
        licence=meta.licence,
        refused=refused,
    )


def _timing(result: PictureResult) -> TimingBody:
    timing = result.timing
    return TimingBody(
        queue=round(timing.queue, 2),
        decode=round(timing.decode, 2),
        preprocess=round(timing.preprocess, 2),
        inference=round(timing.inference, 2),
        postprocess=round(timing.postprocess, 2),
        draw=round(timing.draw, 2),
    )
