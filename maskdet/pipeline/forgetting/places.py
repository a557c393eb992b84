"""Where pictures may be kept: inboxes, data roots, results and the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.artefacts import CURVES_PAGE, MANIFEST, PLOTS
from maskdet.dataset.manifest import Manifest, load_manifest
from maskdet.dataset.reading.layout import ANNOTATIONS, PICTURES
from maskdet.dataset.reading.pictures import FORMATS
from maskdet.dataset.splitting.frozen import read_frozen
from maskdet.dataset.unlabelled import read_unlabelled
from maskdet.errors import UsageError
from maskdet.inbox.store import RECORDS, WAITING, Store
from maskdet.pipeline.running.stage import Context
from maskdet.registry.layout import PICTURES as PICTURE_LIST
from maskdet.registry.pictures import read_pictures
from maskdet.registry.records import PictureRecord
from maskdet.registry.registry import Registry

_PAGES: Final = (".html", ".ipynb")


@dataclass(frozen=True, slots=True)
class Places:
    """Folders, each of which may be missing. `roots`: VOC folders; `inboxes` may be among them."""

    roots: tuple[Path, ...]
    inboxes: tuple[Path, ...]
    runs: Path
    registry: Path
    frozen_val: Path | None = None
    """The file of data.frozen_val."""
    unlabelled: Path | None = None
    """The file of data.unlabelled."""

    @classmethod
    def of(cls, context: Context, inboxes: tuple[Path, ...] = ()) -> Places:
        """Those of a pipeline, and more inboxes. Raises UsageError for one of these that is no inbox."""
        _check_inboxes(inboxes)
        pipeline = context.pipeline
        own = (pipeline.serve.inbox,) if pipeline.serve.inbox else ()
        roots = tuple(each.root for each in pipeline.data.every_root)
        known = tuple(root for root in roots if (root / RECORDS).is_dir())
        every = dict.fromkeys(path.resolve() for path in (*own, *inboxes, *known))
        found = tuple(path for path in every if (path / RECORDS).is_dir())
        return cls(
            roots,
            found,
            runs=context.folder.parent,
            registry=pipeline.registry.root,
            frozen_val=pipeline.data.frozen_val,
            unlabelled=pipeline.data.unlabelled,
        )

    def pictures(self) -> Iterator[Path]:
        """Every picture of the roots and the inboxes, once."""
        folders = [root / PICTURES for root in (*self.roots, *self.inboxes)]
        folders += [inbox / WAITING for inbox in self.inboxes]
        for folder in dict.fromkeys(folder.resolve() for folder in folders):
            if folder.is_dir():
                yield from sorted(path for path in folder.iterdir() if path.suffix.lower() in FORMATS)

    def manifests(self) -> Iterator[tuple[Path, Manifest]]:
        """The results folder and manifest of each run. Raises StageError for a damaged one."""
        for path in sorted(self.runs.glob(f"*/prepare/{MANIFEST}")):
            yield path.parents[1], load_manifest(path)

    def lists(self) -> Iterator[tuple[Path, str, str]]:
        """The files of data.frozen_val and data.unlabelled: file, sha256 and perceptual hash of each picture
        that they keep more of than its sha256. Raises DatasetError for a damaged file.
        """
        if self.frozen_val:
            val = read_frozen(self.frozen_val).val
            yield from ((self.frozen_val, one.sha256, one.phash) for one in val if one.phash)
        if self.unlabelled and self.unlabelled.is_file():
            faces = read_unlabelled(self.unlabelled).faces
            yield from ((self.unlabelled, one.sha256, "") for one in faces)

    def models(self) -> Iterator[tuple[str, tuple[PictureRecord, ...]]]:
        """Each registered version with its aliases, and the pictures it has seen. Raises RegistryError."""
        registry = Registry(self.registry)
        for model in registry.models():
            layout = registry.layout(model)
            targets = layout.targets()
            for number in layout.numbers():
                names = [alias for alias, target in targets.items() if target == number]
                called = f" ({', '.join(names)})" if names else ""
                path = layout.version(number) / PICTURE_LIST
                if path.is_file():
                    yield f"{model}@{number}{called}", read_pictures(path)


def _check_inboxes(folders: tuple[Path, ...]) -> None:
    # A mistyped folder holds nothing to remove, which would look as if everything were gone.
    wrong = [str(folder) for folder in folders if not (folder / RECORDS).is_dir()]
    if wrong:
        raise UsageError(
            f"--inbox {', '.join(wrong)}: no inbox, since there is no {RECORDS}/ in it",
            "name the folder that `maskdet serve --inbox` was given",
        )


def annotation_of(picture: Path) -> Path:
    """The annotation beside a picture of a VOC folder, whether it exists or not."""
    return picture.parent.parent / ANNOTATIONS / f"{picture.stem}.xml"


def shows_pictures(run: Path) -> list[Path]:
    """Files of a results folder that may show pictures: sheets, drawings and pages."""
    endings = (*FORMATS, *_PAGES)
    paths = (path for path in run.rglob("*") if path.suffix.lower() in endings and path.is_file())
    # An audit's page has the same name, and shows faces.
    curves = run / "train" / CURVES_PAGE
    return sorted(path for path in paths if path.name not in PLOTS and path != curves)


def drawn_before_manifest(run: Path) -> list[Path]:
    """Those of `shows_pictures` that an earlier manifest of the run may have led to."""
    prepared = run / "prepare"
    since = (prepared / MANIFEST).stat().st_mtime_ns
    # What lies beside the manifest was drawn from it, some of it before it was written.
    others = (path for path in shows_pictures(run) if path.parent != prepared)
    return [path for path in others if path.stat().st_mtime_ns < since]


def record_hashes(inbox: Path) -> dict[str, str]:
    """Perceptual hash by sha256, of the records of an inbox."""
    return {record.sha256: record.phash for record in Store(inbox).records()}
