"""The whole pipeline file: each section is defined by the package that uses it."""

from __future__ import annotations

from maskdet.dataset.settings import DataSettings
from maskdet.drift.settings import DriftSettings
from maskdet.evaluation.settings import EvalSettings
from maskdet.export.settings import ExportSettings
from maskdet.gates.settings import GateSettings
from maskdet.pipeline.ci.settings import CiSettings
from maskdet.registry.settings import RegistrySettings
from maskdet.serving.settings import ServeSettings
from maskdet.settings import Name, Section
from maskdet.tracking.settings import TrackingSettings
from maskdet.training.settings import ModelSettings, TrainSettings


class PipelineFile(Section):
    """A validated pipeline.yml. Its paths are absolute."""

    name: Name
    """Results go to runs/<name>. Letters, digits, dots, dashes and underscores, at most 64."""
    data: DataSettings
    """The Pascal VOC folder and how to read it."""
    model: ModelSettings = ModelSettings()
    """Which network, and which weights it starts from."""
    train: TrainSettings = TrainSettings()
    """How to train."""
    eval: EvalSettings = EvalSettings()
    """How the model is evaluated on val."""
    export: ExportSettings = ExportSettings()
    """What is written for deployment, and how closely it must agree with the checkpoint."""
    ci: CiSettings = CiSettings()
    """What a job that nobody watches does: `maskdet run --ci`."""
    gates: GateSettings = GateSettings()
    """When a challenger may take the champion's place."""
    serve: ServeSettings = ServeSettings()
    """How the HTTP server listens, answers and limits requests."""
    registry: RegistrySettings = RegistrySettings()
    """Where registered models are kept."""
    tracking: TrackingSettings = TrackingSettings()
    """Where trainings are recorded beside the results folder."""
    drift: DriftSettings = DriftSettings()
    """When what a server sees makes retraining due."""
