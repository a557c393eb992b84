"""One version of a model: its record, its bundle, and whether its files are what they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from maskdet.artefacts import BUNDLE
from maskdet.errors import RegistryError
from maskdet.registry.layout import PICTURES, RECORD, SIGNATURE, Layout
from maskdet.registry.pictures import read_pictures
from maskdet.registry.records import PictureRecord, VersionRecord
from maskdet.registry.reference import Reference
from maskdet.system.files import sha256_file

_RESTORE = "restore the folder from a backup, or register the model again"


@dataclass(frozen=True, slots=True)
class Version:
    """A version in its folder."""

    folder: Path
    record: VersionRecord

    @property
    def model(self) -> str:
        return self.record.model

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def reference(self) -> str:
        """models:NAME@NUMBER, which always means this version."""
        return str(Reference(self.model, str(self.number)))

    @property
    def bundle(self) -> Path:
        """The bundle's path, unchecked."""
        return self.folder / BUNDLE

    @property
    def signature(self) -> Path | None:
        """The signature's path, None if there is none."""
        path = self.folder / SIGNATURE
        return path if path.is_file() else None

    def file(self, name: str) -> Path | None:
        """The path of a further file by name, such as gates.json; None if the version has none."""
        return self.folder / name if name in self.record.files else None

    def pictures(self) -> tuple[PictureRecord, ...]:
        """What the model was trained and validated on, () if that is not known. Raises RegistryError."""
        path = self.file(PICTURES)
        return read_pictures(path) if path else ()

    def checked_bundle(self) -> Path:
        """The bundle's path. Raises RegistryError unless it is the one that was registered."""
        self.check(BUNDLE, self.record.bundle)
        return self.bundle

    def check(self, name: str, expected: str) -> None:
        """Raise RegistryError unless a file has the expected hash."""
        path = self.folder / name
        try:
            found = sha256_file(path)
        except OSError as error:
            raise RegistryError(f"{path}: {error.strerror or error}", _RESTORE) from error
        if found != expected:
            raise RegistryError(f"{path} is not the file that was registered", _RESTORE)

    def faults(self) -> Iterator[str]:
        """What is wrong with the files, each in one line."""
        known = {BUNDLE: self.record.bundle, **self.record.files}
        yield from filter(None, (self._fault(name, expected) for name, expected in known.items()))
        found = {
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()
        }
        yield from (
            f"{self.folder / name} is not part of the version"
            for name in sorted(found - known.keys() - {RECORD, SIGNATURE})
        )

    def _fault(self, name: str, expected: str) -> str:
        try:
            self.check(name, expected)
        except RegistryError as error:
            return error.what
        return ""


def numbered_version(layout: Layout, number: int) -> Version:
    """A version of a model. Raises RegistryError if its record is missing, damaged or that of another one."""
    found = read_version(layout.version(number))
    if (found.model, found.number) != (layout.folder.name, number):
        raise RegistryError(
            f"{found.folder} holds version {found.number} of {found.model}",
            "a version's folder must not be renamed or copied: remove the copy, or restore it from a backup",
        )
    return found


def read_version(folder: Path) -> Version:
    """Read a version's record. Raises RegistryError if it is missing or damaged."""
    path = folder / RECORD
    try:
        return Version(folder, VersionRecord.model_validate_json(path.read_bytes()))
    except OSError as error:
        raise RegistryError(f"{path}: {error.strerror or error}", _RESTORE) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise RegistryError(f"{path} is damaged at {key}: {first['msg']}", _RESTORE) from error
