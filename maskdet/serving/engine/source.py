"""Where a served model comes from: a bundle's file, or a registered version, which an alias may change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from maskdet.artefacts import BUNDLE
from maskdet.errors import BundleError, RegistryError
from maskdet.registry.layout import RECORD, SIGNATURE
from maskdet.registry.reference import parse_reference
from maskdet.registry.registry import Registry
from maskdet.registry.signing import signed_copy
from maskdet.registry.version import Version, read_version
from maskdet.system.files import sha256_file


class FileState(NamedTuple):
    """A file's identity as far as it is known without reading it."""

    inode: int
    modified_ns: int
    changed_ns: int
    """Also when its owner or permissions change."""
    size: int


State = tuple[FileState | None, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """`path` is the bundle, or with a `reference`, models:NAME@ALIAS or @NUMBER, the registry's folder."""

    path: Path
    reference: str = ""

    @property
    def name(self) -> str:
        """The registered model's name, empty for a file."""
        return parse_reference(self.reference).model if self.reference else ""

    @property
    def alias(self) -> str:
        """The alias that decides which version it is, empty if none does."""
        if not self.reference:
            return ""
        wanted = parse_reference(self.reference)
        return wanted.wanted if wanted.number is None else ""

    @property
    def follows(self) -> bool:
        """Whether an alias decides which version it is."""
        return bool(self.alias)

    @property
    def state(self) -> State:
        """Changes when the model does; costs a few calls and no reading. None for a file that is missing."""
        if not self.reference:
            return (_state(self.path), _state(self.path.with_name(SIGNATURE)))
        wanted = parse_reference(self.reference)
        layout = Registry(self.path).layout(wanted.model)
        alias = None if wanted.number else _state(layout.alias(wanted.wanted))
        try:
            number = wanted.number or layout.target(wanted.wanted)
        except RegistryError:
            number = None
        folder = layout.version(number or 0)
        return (alias, *(_state(folder / name) for name in (BUNDLE, SIGNATURE, RECORD)))

    def version(self) -> Version | None:
        """The version that it is now, None for a file. Raises RegistryError."""
        return Registry(self.path).resolve(self.reference) if self.reference else None

    def is_current(self, sha256: str, number: int | None) -> bool:
        """Whether a loaded model is still this one. Raises BundleError or RegistryError."""
        version = self.version()
        bundle = version.bundle if version else self.path
        try:
            return (version.number if version else None) == number and sha256_file(bundle) == sha256
        except OSError as error:
            raise BundleError(f"{bundle}: {error.strerror or error}") from error

    @contextmanager
    def opened(self, public_key: Path | None) -> Iterator[tuple[Path, Version | None]]:
        """A bundle to read, and its version; with a key a copy whose signature holds.

        Raises RegistryError if there is none, it has changed, or its signature is missing or does not hold.
        """
        version = self.version()
        # Before a byte of it is parsed; the caller hashes again what it has read.
        bundle = version.checked_bundle() if version else self.path
        if public_key is None:
            yield bundle, version
            return
        with signed_copy(bundle, public_key) as copy:
            if version is not None and read_version(copy.parent).record != version.record:
                raise RegistryError(f"{bundle} was changed while it was read", "load it again")
            yield copy, version

    def without_paths(self, text: str) -> str:
        """A message that tells clients nothing about this machine's folders."""
        base = self.path if self.reference else self.path.parent
        return text.removeprefix(f"{self.path}: ").replace(f"{base}/", "").replace(str(base), "the registry")

    def __str__(self) -> str:
        return self.reference or str(self.path)


def _state(path: Path) -> FileState | None:
    """None if there is no such file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileState(found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
