"""A folder that is ready for a model repository: card, bundle, configuration, weights, licence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from maskdet.artefacts import BEST, BUNDLE, PARITY
from maskdet.detector.bundle import load_bundle
from maskdet.errors import RegistryError
from maskdet.registry.card import model_card
from maskdet.registry.change import writing
from maskdet.registry.version import Version
from maskdet.system.files import staged_folder, write_text

CARD: Final = "README.md"
LICENCE: Final = "LICENSE"
_PUBLISHED: Final = ("infer_cfg.yml", PARITY, BEST)
_WEIGHTS: Final = ".safetensors"
_LICENCES: Final = Path(__file__).parent / "licences"


def publish(version: Version, target: Path) -> list[str]:
    """Write the folder and return the names of its files; nothing is uploaded.

    Names and hashes of pictures, settings and paths stay here.
    Raises RegistryError if the folder has content, or the version was changed.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RegistryError(f"{target} exists already", "choose an empty folder or a name that is free")
    bundle = load_bundle(version.checked_bundle())
    names = [name for name in version.record.files if name in _PUBLISHED or name.endswith(_WEIGHTS)]
    licence = _LICENCES / f"{bundle.meta.licence}.txt"
    with writing(target), staged_folder(target) as out:
        for name in (BUNDLE, *names):
            version.check(name, version.record.files.get(name, version.record.bundle))
            shutil.copyfile(version.folder / name, out / name)
        if licence.is_file():
            shutil.copyfile(licence, out / LICENCE)
        files = [path.name for path in out.iterdir()]
        write_text(out / CARD, model_card(version, bundle.meta, files))
    return sorted([*files, CARD])
