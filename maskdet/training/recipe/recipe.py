"""From the pipeline file to one complete PaddleDetection configuration that can explain its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from maskdet.artefacts import CONFIG, LABEL_LIST, read_document, reading
from maskdet.dataset.manifest import Manifest
from maskdet.errors import PipelineFileError, UsageError
from maskdet.system.files import write_json, write_text
from maskdet.training.networks.picodet import (
    PUBLISHED_EPOCHS,
    PUBLISHED_RATE_PER_PICTURE,
    PUBLISHED_STATIC_ASSIGNER_EPOCH,
)
from maskdet.training.networks.registry import network_of, variant
from maskdet.training.networks.variant import Variant
from maskdet.training.recipe.readers import readers
from maskdet.training.recipe.sampling import Weights, repeat_factors, steps_per_epoch
from maskdet.training.settings import ModelSettings, TrainSettings
from maskdet.wording.names import did_you_mean

ORIGINS_NAME = "origins.json"
_PUBLISHED = "PicoDet's published recipe, the same for every pipeline file"
_WARMUP_STEPS = 300
_ADAMW_RATE = 0.002
_AMP_LEVEL = "O1"
"""float16 for the operators on Paddle's white list; weights stay float32."""
_FINE_TUNING_SHARE = 0.1
"""Share of a fresh head's rate that weights which know the classes tolerate without forgetting."""
_OPTIMIZERS: dict[str, dict[str, Any]] = {
    "momentum": {
        "optimizer": {"type": "Momentum", "momentum": 0.9},
        "regularizer": {"type": "L2", "factor": 4.0e-5},
    },
    "adamw": {"optimizer": {"type": "AdamW", "weight_decay": 0.05}, "regularizer": False},
}


@dataclass(frozen=True)
class Recipe:
    """A PaddleDetection configuration. `origins` maps dotted keys to the reason for their value."""

    document: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)

    def write(self, out: Path) -> None:
        """Write picodet.yml and origins.json into the folder `out`."""
        head = "# Written by maskdet; `maskdet config --explain KEY` shows where a value comes from.\n"
        write_text(out / CONFIG, head + yaml.safe_dump(self.document, sort_keys=False, allow_unicode=True))
        write_json(out / ORIGINS_NAME, self.origins)

    def explain(self, key: str) -> str:
        """`key = value`, then where the value comes from. Raises UsageError for an unknown key."""
        value = self._value(key)
        reasons = [f"{name}: {reason}" for name, reason in self.origins.items() if _related(name, key)]
        shown = yaml.safe_dump({key: value}, sort_keys=False, allow_unicode=True).rstrip()
        return "\n".join([shown, *(f"  {line}" for line in reasons or [_PUBLISHED])])

    def _value(self, key: str) -> Any:
        value: Any = self.document
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                raise UsageError(f"the configuration has no key {key!r}", _key_meant(key, self.document))
            value = value[part]
        return value


def load_recipe(folder: Path) -> Recipe:
    """Read what `Recipe.write` wrote."""
    with reading(folder / CONFIG, "maskdet config"):
        document = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
    return Recipe(document, read_document(folder / ORIGINS_NAME, "maskdet config"))


def build_recipe(
    model: ModelSettings,
    train: TrainSettings,
    manifest: Manifest,
    *,
    prepare_dir: Path,
    fine_tunes: bool = False,
) -> Recipe:
    """Derive the whole configuration; `fine_tunes` if the start knows all classes of the data.

    Raises PipelineFileError if there are fewer pictures than a batch.
    """
    size = variant(model.variant)
    schedule = _Schedule.derive(train, repeat_factors(manifest, train.balance), fine_tunes)
    document = {
        **_runtime(model, train, size, len(manifest.labels), fine_tunes),
        **_datasets(manifest.folder, prepare_dir.resolve()),
        **readers(size, train),
        **_optimizer(train, schedule),
        **network_of(size).sections(size, schedule.static_assigner_epoch),
    }
    return Recipe(document, _origins(model, train, size, schedule, manifest))


@dataclass(frozen=True, slots=True)
class _Schedule:
    """What follows from data size, batch and epochs. Steps and epochs are counts, the rate is the peak."""

    steps_per_epoch: int
    rate: float
    warmup_steps: int
    static_assigner_epoch: int
    fine_tunes: bool

    @classmethod
    def derive(cls, train: TrainSettings, factors: Weights, fine_tunes: bool) -> _Schedule:
        steps = steps_per_epoch(factors, train.batch_size)
        if steps == 0:
            raise _too_few(train.batch_size, factors)
        return cls(
            steps_per_epoch=steps,
            rate=_rate(train, fine_tunes),
            warmup_steps=max(1, min(_WARMUP_STEPS, steps * train.epochs // 10)),
            static_assigner_epoch=train.epochs * PUBLISHED_STATIC_ASSIGNER_EPOCH // PUBLISHED_EPOCHS,
            fine_tunes=fine_tunes,
        )


def _too_few(batch_size: int, factors: Weights) -> PipelineFileError:
    shown, there = float(factors.sum()), len(factors)
    ways = ["add pictures"]
    if shown >= 1:
        ways.insert(0, f"set train.batch_size to {max(1, int(shown) // 2)} or less")
    if shown < there:
        ways.append("raise the weight of a root in data.roots")
    return PipelineFileError(
        f"train.batch_size is {batch_size}, but an average epoch shows {shown:g} pictures, "
        f"of {there} in the train part",
        ", or ".join(ways),
    )


def _runtime(
    model: ModelSettings, train: TrainSettings, size: Variant, classes: int, fine_tunes: bool
) -> dict[str, Any]:
    return {
        "architecture": "PicoDet",
        "num_classes": classes,
        "epoch": train.epochs,
        "snapshot_epoch": train.evaluate_every,
        "log_iter": 20,
        "use_gpu": False,
        **({"amp": True, "amp_level": _AMP_LEVEL} if train.amp else {}),
        "use_ema": True,
        "freeze": model.freeze,
        "freeze_norm": _keeps_statistics(train, fine_tunes),
        "find_unused_parameters": True,
        "metric": "VOC",
        "map_type": "integral",
        "eval_size": list(size.input_size),
        "save_dir": "output",
        "worker_num": 0,
    }


def _datasets(root: Path, prepare_dir: Path) -> dict[str, Any]:
    def part(name: str) -> dict[str, Any]:
        return {
            "name": "VOCDataSet",
            "dataset_dir": root.as_posix(),
            "anno_path": (prepare_dir / f"{name}.txt").as_posix(),
            "label_list": (prepare_dir / LABEL_LIST).as_posix(),
            "data_fields": ["image", "gt_bbox", "gt_class", "difficult"],
            "allow_empty": True,
        }

    return {"TrainDataset": part("train"), "EvalDataset": part("val"), "TestDataset": part("val")}


def _optimizer(train: TrainSettings, schedule: _Schedule) -> dict[str, Any]:
    return {
        "LearningRate": {
            "base_lr": schedule.rate,
            "schedulers": [
                {"name": "CosineDecay", "max_epochs": train.epochs},
                {"name": "LinearWarmup", "start_factor": 0.1, "steps": schedule.warmup_steps},
            ],
        },
        "OptimizerBuilder": _OPTIMIZERS[train.optimizer],
    }


def _origins(
    model: ModelSettings, train: TrainSettings, size: Variant, schedule: _Schedule, manifest: Manifest
) -> dict[str, str]:
    total, network = schedule.steps_per_epoch * train.epochs, network_of(size)
    of_variant = f"model.variant of the pipeline file, {model.variant}"
    origins = {
        "num_classes": f"the {len(manifest.labels)} labels of prepare/manifest.json",
        "epoch": f"train.epochs of the pipeline file, {train.epochs}",
        "snapshot_epoch": f"train.evaluate_every of the pipeline file, {train.evaluate_every}",
        "freeze": f"model.freeze of the pipeline file, {model.freeze}",
        "freeze_norm": _why_norm(train, schedule.fine_tunes),
        **({"amp": "train.amp of the pipeline file"} if train.amp else {}),
        "eval_size": of_variant,
        "TrainDataset": "data of the pipeline file and the lists that prepare wrote",
        "EvalDataset": "data of the pipeline file and the lists that prepare wrote",
        "TestDataset": "data of the pipeline file and the lists that prepare wrote",
        "TrainReader.batch_size": f"train.batch_size of the pipeline file, {train.batch_size}",
        "TrainReader.sample_transforms": f"train.augment of the pipeline file, {train.augment}",
        "TrainReader.batch_transforms": f"train.augment {train.augment} at the sides of {of_variant}",
        "TrainReader.repeat_share": f"train.balance of the pipeline file, {train.balance}",
        "EvalReader": of_variant,
        "TestReader": of_variant,
        "LearningRate.base_lr": _why_rate(train, schedule.fine_tunes),
        "OptimizerBuilder": f"train.optimizer of the pipeline file, {train.optimizer}",
        "LearningRate.schedulers": (
            f"cosine over train.epochs {train.epochs}; warm-up {schedule.warmup_steps} steps = the published "
            f"{_WARMUP_STEPS}, at most a tenth of the {total} steps of the whole training, at least 1"
        ),
        **dict.fromkeys(network.sections(size, 0), of_variant),
    }
    if network.static_assigner_key:
        origins[network.static_assigner_key] = (
            f"train.epochs {train.epochs} x {PUBLISHED_STATIC_ASSIGNER_EPOCH}/{PUBLISHED_EPOCHS}"
            ", the published share"
        )
    return origins


def _rate(train: TrainSettings, fine_tunes: bool) -> float:
    if train.learning_rate != "auto":
        return train.learning_rate
    rate = _ADAMW_RATE if train.optimizer == "adamw" else PUBLISHED_RATE_PER_PICTURE * train.batch_size
    return round(rate * (_FINE_TUNING_SHARE if fine_tunes else 1), 8)


def _why_rate(train: TrainSettings, fine_tunes: bool) -> str:
    if train.learning_rate != "auto":
        return f"train.learning_rate of the pipeline file, {train.learning_rate}"
    ratio = f"{PUBLISHED_RATE_PER_PICTURE} per picture of the total batch (PicoDet's published ratio)"
    rate = (
        f"{_ADAMW_RATE} for adamw"
        if train.optimizer == "adamw"
        else f"{ratio} x train.batch_size {train.batch_size}"
    )
    share = f", x {_FINE_TUNING_SHARE} since model.pretrained knows all classes" if fine_tunes else ""
    return f"auto: {rate}{share}"


def _keeps_statistics(train: TrainSettings, fine_tunes: bool) -> bool:
    # At a higher rate than the derived one the statistics have to follow the weights.
    return fine_tunes and train.learning_rate == "auto"


def _why_norm(train: TrainSettings, fine_tunes: bool) -> str:
    if not fine_tunes:
        return "model.pretrained does not know all classes: statistics are learned with the rest"
    if not _keeps_statistics(train, fine_tunes):
        return "statistics have to follow the weights at train.learning_rate of the pipeline file"
    return "model.pretrained knows all classes: statistics of a few pictures would only blur its own"


def _related(name: str, key: str) -> bool:
    return name == key or name.startswith(f"{key}.") or key.startswith(f"{name}.")


def _key_meant(key: str, document: dict[str, Any]) -> str:
    return did_you_mean(key, _dotted(document)) or f"top-level keys: {', '.join(document)}"


def _dotted(value: dict[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, inner in value.items():
        keys.append(prefix + name)
        if isinstance(inner, dict):
            keys += _dotted(inner, f"{prefix}{name}.")
    return keys
