"""The `model` and `train` sections of pipeline.yml."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from maskdet.detector.catalogue import FAMILY
from maskdet.settings import Section
from maskdet.training.networks.registry import VARIANTS

STARTS = ("none", "coco", "imagenet")
"""Words that `model.pretrained` knows beside the names of shipped models; anything else is a path, or names
a registered version."""
if TYPE_CHECKING:
    Variant = str
    Start = str
else:
    Variant = Literal[tuple(VARIANTS)]
    Start = Literal[tuple(chain(STARTS, FAMILY))]
Side = Annotated[int, Field(ge=64, multiple_of=32)]
Master = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:\d{2,5}$")]
Device = Annotated[str, StringConstraints(pattern=r"^(auto|cpu|gpu(:(all|\d+(,\d+)*))?)$")]


class ModelSettings(Section):
    """Which network, and which weights it starts from."""

    variant: Variant = "picodet_s_416"
    """PicoDet size and input side; esnet is the 2021 version, which trains twice as fast on CPU."""
    pretrained: Start | Path = "none"
    """none: random weights; default, or the name of another shipped model; coco, imagenet: published weights,
    fetched once; a .pdparams or .safetensors file; or models:NAME@ALIAS, the weights of a registered version.
    """
    class_map: dict[str, str | None] = Field(default_factory=dict)
    """Class of the data to the checkpoint class it starts from, where the names do not match; null: it starts
    fresh."""
    freeze: Literal["none", "backbone"] = "none"
    """backbone: freeze the features of `pretrained`, and train only neck and head."""

    @field_validator("class_map")
    @classmethod
    def _something_to_map_to(
        cls, value: dict[str, str | None], info: ValidationInfo
    ) -> dict[str, str | None]:
        if value and info.data.get("pretrained") == "none":
            raise ValueError("empty where model.pretrained is none: random weights have no classes")
        return value

    @field_validator("freeze")
    @classmethod
    def _something_to_keep(cls, value: str, info: ValidationInfo) -> str:
        if value != "none" and info.data.get("pretrained") == "none":
            raise ValueError("none where model.pretrained is none: random weights would stay random")
        return value


class TrainSettings(Section):
    """How to train. Every `auto` is derived from the rest; `maskdet config --explain KEY` says how."""

    epochs: int = Field(30, ge=1)
    """Passes over the train split."""
    batch_size: int = Field(16, ge=1)
    """Pictures per step, over all devices and workers together."""
    learning_rate: Annotated[float, Field(ge=0)] | Literal["auto"] = "auto"
    """Peak rate; auto: for momentum 0.00125 per picture of the total batch, PicoDet's published ratio; for
    adamw 0.002; a tenth of either where model.pretrained has all classes of the data."""
    start_share: float = Field(0.0, ge=0, lt=1)
    """Share of model.pretrained in the weights that are evaluated and kept, which then are an average of both
    and keep what the start knows of other pictures. Needs a start that has all classes of the data."""
    optimizer: Literal["momentum", "adamw"] = "momentum"
    """momentum: PicoDet's published SGD; adamw: learns faster where there are only hundreds of steps."""
    device: Device = "auto"
    """auto: GPU where Paddle sees one, CPU otherwise; gpu:all: every GPU; gpu:0,1 names devices, which count
    within CUDA_VISIBLE_DEVICES where that is set."""
    amp: bool = False
    """Mixed precision: convolutions in float16, losses and weights in float32. Needs a GPU, of compute
    capability 7.0 or higher."""
    workers: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """Processes on CPU; auto: one per core, as long as each has at least 4 pictures per step and 4 GiB of
    memory. On GPU it is one per device."""
    nodes: int = Field(1, ge=1)
    """Machines that train together, each with the same command and its rank in MASKDET_NODE_RANK."""
    master: Master | None = Field(None, validate_default=True)
    """HOST:PORT of the machine with rank 0; needed if train.nodes is above 1."""
    augment: Literal["published", "faces"] = "published"
    """published: PicoDet's crops and colours; faces: views that zoom in on faces, rare faces pasted in."""
    view: Side | Literal["auto"] = "auto"
    """Side in pixels of a view of `augment: faces`, a multiple of 32; auto: two thirds of the input side."""
    balance: float = Field(0.0, ge=0, le=1)
    """Share of an epoch's pictures that repetition of a rare class aims for; 0 repeats nothing."""
    patience: int = Field(0, ge=0)
    """Stop after this many evaluations without a better AP50; 0 disables early stopping."""
    evaluate_every: int = Field(1, ge=1)
    """Epochs between evaluations on val; the last epoch is always evaluated."""
    seed: int = Field(0, ge=0, le=2**64 - 1)
    """For picture order, crops and initial weights; the same seed gives the same training."""
    max_hours: float | None = Field(None, gt=0)
    """Stop before an epoch that would exceed this wall-clock time, counted over all sessions."""
    preflight: bool | Literal["auto"] = "auto"
    """Rehearse two steps, evaluation, export and ONNX before training; auto: before a long run."""
    cache_mb: Annotated[int, Field(ge=0)] | Literal["auto"] = "auto"
    """Memory for decoded pictures over all workers; auto: a quarter of what is free, 1024 at most."""
    python: Path | None = None
    """Interpreter of the training worker, if Paddle is installed in another environment."""

    @field_validator("amp")
    @classmethod
    def _on_a_gpu(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("device") == "cpu":
            raise ValueError("false where train.device is cpu: mixed precision needs a GPU")
        return value

    @field_validator("master")
    @classmethod
    def _somewhere_to_meet(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("nodes", 1) > 1:
            raise ValueError("HOST:PORT of the machine with rank 0, since train.nodes is above 1")
        return value
