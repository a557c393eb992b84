"""Adding a version: its folder is written aside and takes its number in one rename."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskdet.artefacts import BUNDLE
from maskdet.errors import BundleError, RegistryError
from maskdet.registry.change import Change, change, writing
from maskdet.registry.history import pruned, registered
from maskdet.registry.layout import PICTURES, RECORD, SIGNATURE, Layout
from maskdet.registry.pictures import pictures_text
from maskdet.registry.records import Lineage, PictureRecord, Registered, VersionRecord
from maskdet.registry.version import Version, numbered_version, read_version
from maskdet.system.asides import aside_of, remove
from maskdet.system.files import sha256_file, write_json
from maskdet.system.times import now_text


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is to become a version; see `Registry.register`."""

    bundle: Path
    lineage: Lineage
    pictures: tuple[PictureRecord, ...]
    files: Mapping[str, Path | str]
    by: str


def add_version(layout: Layout, model: str, candidate: Candidate) -> Version:
    """The candidate's version. Raises BundleError or RegistryError, and then the registry is unchanged."""
    from maskdet.detector.bundle import load_bundle

    bundle = load_bundle(candidate.bundle)
    with writing(layout.folder), _staging(layout) as aside:
        files = _fill(aside, candidate)
        if sha256_file(aside / BUNDLE) != bundle.sha256:
            raise BundleError(f"{candidate.bundle} changed while it was read", "register it again")
        with change(layout) as changed:
            if (same := _same(changed, bundle.sha256)) is not None:
                return same
            record = VersionRecord(
                model=model,
                number=changed.next_number(),
                created=now_text(),
                by=candidate.by,
                bundle=bundle.sha256,
                files=files,
                lineage=candidate.lineage,
            )
            write_json(aside / RECORD, record.model_dump(mode="json"))
            return _place(changed, aside, record)


@contextmanager
def _staging(layout: Layout) -> Iterator[Path]:
    layout.versions.mkdir(parents=True, exist_ok=True)
    aside = aside_of(layout.versions / "next")
    aside.mkdir()
    try:
        yield aside
    finally:
        remove(aside)
        _leave_no_trace(layout)


def _leave_no_trace(layout: Layout) -> None:
    """Without a first version there is no model, so its folders go too."""
    if not layout.numbers() and not layout.history.exists():
        with suppress(OSError):  # another process may have begun to use them
            for folder in (layout.versions, layout.aliases, layout.folder):
                folder.rmdir()


def _fill(aside: Path, candidate: Candidate) -> dict[str, str]:
    """Write the files; their hashes by name, without the bundle."""
    shutil.copyfile(candidate.bundle, aside / BUNDLE)
    content = dict(candidate.files)
    if candidate.pictures:
        content[PICTURES] = pictures_text(candidate.pictures)
    for name, source in content.items():
        _check_name(name)
        target = aside / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, Path):
            shutil.copyfile(source, target)
        else:
            target.write_text(source, encoding="utf-8", newline="\n")
    return {name: sha256_file(aside / name) for name in sorted(content)}


def _check_name(name: str) -> None:
    parts = PurePosixPath(name).parts
    if name in (BUNDLE, RECORD, SIGNATURE) or not parts or ".." in parts or PurePosixPath(name).is_absolute():
        raise RegistryError(f"a file of a version cannot be called {name!r}", "choose another name")


def _same(changed: Change, sha256: str) -> Version | None:
    """The version that holds a bundle; one that is lost or damaged does not."""
    gone = pruned(changed.events)
    known = registered(changed.events).items()
    numbers = (number for number, one in known if one.bundle == sha256 and number not in gone)
    return next(filter(None, (_whole(changed.layout, number, sha256) for number in numbers)), None)


def _whole(layout: Layout, number: int, sha256: str) -> Version | None:
    try:
        version = numbered_version(layout, number)
        version.check(BUNDLE, sha256)
    except RegistryError:
        return None
    return version


def _place(changed: Change, aside: Path, record: VersionRecord) -> Version:
    target = changed.layout.version(record.number)
    event = Registered(
        at=record.created,
        by=record.by,
        number=record.number,
        bundle=record.bundle,
        record=sha256_file(aside / RECORD),
    )
    aside.replace(target)
    try:
        changed.record(event)
    except BaseException:
        changed.remove(record.number)
        raise
    return read_version(target)
