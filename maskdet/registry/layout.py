"""Where a model's files are: models/NAME/{versions/0003/, aliases/champion, history.jsonl}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.errors import RegistryError
from maskdet.registry.reference import ALIAS, NUMBER
from maskdet.system.files import write_text

RECORD: Final = "version.json"
PICTURES: Final = "pictures.json"
SIGNATURE: Final = "model.sig"


_VERSIONS: Final = "versions"


def version_name(file: Path) -> str | None:
    """NAME@NUMBER if the file is in the folder of a registered version, else None."""
    folder = file.absolute().parent
    registered = folder.parent.name == _VERSIONS and NUMBER.fullmatch(folder.name)
    if not registered or not (folder / RECORD).is_file():
        return None
    return f"{folder.parent.parent.name}@{int(folder.name)}"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of one model."""

    folder: Path

    @property
    def versions(self) -> Path:
        return self.folder / _VERSIONS

    @property
    def aliases(self) -> Path:
        return self.folder / "aliases"

    @property
    def history(self) -> Path:
        return self.folder / "history.jsonl"

    @property
    def lock(self) -> Path:
        return self.folder / ".lock"

    def version(self, number: int) -> Path:
        """The folder of a version, whether it exists or not."""
        return self.versions / f"{number:04d}"

    def alias(self, alias: str) -> Path:
        """The file of an alias, whether it exists or not."""
        return self.aliases / alias

    def numbers(self) -> list[int]:
        """The existing versions, oldest first."""
        names = (path.name for path in _children(self.versions) if path.is_dir())
        return sorted(int(name) for name in names if NUMBER.fullmatch(name))

    def targets(self) -> dict[str, int]:
        """The version of each alias, by name. Raises RegistryError if a file is damaged."""
        names = sorted(path.name for path in _children(self.aliases) if ALIAS.fullmatch(path.name))
        found = {name: self.target(name) for name in names}
        return {name: number for name, number in found.items() if number is not None}

    def target(self, alias: str) -> int | None:
        """The version that an alias points to, None if there is none. Raises RegistryError."""
        path = self.alias(alias)
        try:
            text = path.read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RegistryError(f"{path}: {error.strerror or error}", "make it readable") from error
        if not NUMBER.fullmatch(text):
            raise RegistryError(
                f"{path} is damaged: it does not hold the number of a version",
                "remove the file; the next change to the model restores it from history.jsonl",
            )
        return int(text)

    def point(self, alias: str, number: int) -> None:
        """Let an alias point to a version, in one step."""
        write_text(self.alias(alias), f"{number}\n")


def _children(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except (FileNotFoundError, NotADirectoryError):
        return
