"""What is in wheel and source distribution: the committed files of the package, and nothing else."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Mapping
from email.parser import BytesHeaderParser
from pathlib import Path, PurePosixPath

from release.artefacts import ReleaseError

NEEDED = (
    "maskdet/models/face_mask.onnx",
    "maskdet/models/face_mask.safetensors",
    "maskdet/py.typed",
    "maskdet/requirements/train.txt",
)
SHIPPED = ("maskdet", "configs", "requirements")
"""Folders of the source distribution."""
SHIPPED_FILES = ("README.md", "README.zh-CN.md", "LICENSE", "pyproject.toml", ".gitignore")
_ADDED = {"maskdet/requirements/train.txt": "requirements/train.txt"}
"""Where the wheel's files come from, if it is not the same path."""


def check_contents(wheel: Path, sdist: Path, source: Path) -> None:
    """Raise ReleaseError unless both hold the source's files, byte for byte, and no other ones."""
    committed = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    packed = wheel_files(wheel)
    info = next(name for name in packed if name.endswith(".dist-info/METADATA")).partition("/")[0]
    own = {name: text for name, text in packed.items() if not name.startswith(f"{info}/")}
    package = {name for name in committed if name.startswith("maskdet/")} | _ADDED.keys()
    _compare(wheel, own, package, source)
    for name in (*NEEDED, f"{info}/licenses/LICENSE"):
        if name not in packed:
            raise ReleaseError(f"{wheel.name} lacks {name}")
    files = sdist_files(sdist)
    if "PKG-INFO" not in files or files.pop("PKG-INFO") != packed[f"{info}/METADATA"]:
        raise ReleaseError(f"the metadata of {sdist.name} is not that of {wheel.name}")
    shipped = {name for name in committed if PurePosixPath(name).parts[0] in (*SHIPPED, *SHIPPED_FILES)}
    _compare(sdist, files, shipped, source)


def check_tag(tag: str, wheel: Path, source: Path) -> None:
    """Raise ReleaseError unless the tag is v and the version, and the changelog has a section for it."""
    files = wheel_files(wheel)
    [name] = [name for name in files if name.endswith(".dist-info/METADATA")]
    version = BytesHeaderParser().parsebytes(files[name])["Version"]
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, but the version is {version}")
    changes = (source / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        raise ReleaseError(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")


def wheel_files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {one.filename: archive.read(one) for one in archive.infolist()}


def sdist_files(sdist: Path) -> dict[str, bytes]:
    """By name below the distribution's folder."""
    with tarfile.open(sdist) as archive:
        opened = ((one.name.partition("/")[2], archive.extractfile(one)) for one in archive if one.isfile())
        return {name: stream.read() for name, stream in opened if stream is not None}


def _compare(archive: Path, packed: Mapping[str, bytes], wanted: set[str], source: Path) -> None:
    if strange := sorted(packed.keys() - wanted):
        raise ReleaseError(f"{archive.name} has what is not committed: {', '.join(strange[:10])}")
    if missing := sorted(wanted - packed.keys()):
        raise ReleaseError(f"{archive.name} lacks {', '.join(missing[:10])}")
    for name, content in packed.items():
        if (source / _ADDED.get(name, name)).read_bytes() != content:
            raise ReleaseError(f"{archive.name} has other bytes in {name} than the commit")
