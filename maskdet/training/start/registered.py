"""The weights of a registered version, given out only if the version is as it was registered."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from maskdet.artefacts import BEST
from maskdet.errors import RegistryError
from maskdet.registry.registry import Registry
from maskdet.registry.settings import RegistrySettings
from maskdet.registry.verification import verify_registry
from maskdet.registry.version import Version
from maskdet.training.start.checkpoint_meta import CheckpointMeta

_SUFFIXES: Final = (".pdparams", ".safetensors")


class RegisteredWeights(NamedTuple):
    """name: models:NAME@NUMBER, which always means these weights."""

    name: str
    path: Path
    meta: CheckpointMeta


def registered_weights(reference: str, folder: Path | None = None) -> RegisteredWeights:
    """The weights behind models:NAME@ALIAS or models:NAME@NUMBER; folder: of the registry, by default that of
    the environment, else ./models.

    Raises RegistryError if there is no such version, if it keeps no weights, or if any of its files is not
    the one that was registered, and BundleError for a bundle that cannot be read.
    """
    registry = Registry(folder or RegistrySettings().root)
    try:
        version = registry.resolve(reference)
        path = version.folder / weights_name(version)
        _require_unchanged(registry, version)
    except RegistryError as error:
        error.what = f"model.pretrained: {error.what}"
        raise
    return RegisteredWeights(version.reference, path, _meta(version))


def weights_name(version: Version) -> str:
    """The name of the version's weight file. Raises RegistryError if it keeps none."""
    names = sorted(name for name in version.record.files if Path(name).suffix in _SUFFIXES)
    if not names:
        raise RegistryError(
            f"{version.reference} has no weights to start from",
            "versions that `maskdet models register` takes from a run keep theirs; "
            "name such a version, or a weight file",
        )
    return BEST if BEST in names else names[0]


def _require_unchanged(registry: Registry, version: Version) -> None:
    [verified] = verify_registry(registry, version.reference)
    if verified.faults:
        hint = f"`maskdet models verify {version.reference}` lists all faults; restore it from a backup"
        raise RegistryError(verified.faults[0], hint)


def _meta(version: Version) -> CheckpointMeta:
    """The bundle names variant and classes; a checkpoint itself does not."""
    # Reading a bundle imports the runtime, and only a start from the registry needs it.
    from maskdet.detector.bundle import load_bundle  # noqa: PLC0415

    meta = load_bundle(version.bundle).meta
    return CheckpointMeta(name=meta.name, variant=meta.variant, labels=meta.labels)
