"""Finds the files of a VOC folder and pairs each picture with its annotation by stem."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskdet.dataset.findings import Finding
from maskdet.dataset.reading.names import WHY_UNLISTABLE, is_listable, shown
from maskdet.dataset.reading.pictures import FORMATS
from maskdet.errors import DatasetError

PICTURES = "JPEGImages"
ANNOTATIONS = "Annotations"
_EXPECTED = f"expected <root>/{PICTURES}/NAME.jpg (or png, bmp, webp) and <root>/{ANNOTATIONS}/NAME.xml"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the pictures and the annotations of a set are, below its root; "." for the root itself."""

    pictures: str
    annotations: str

    @property
    def are_one(self) -> bool:
        """Whether the annotations lie beside the pictures."""
        return self.pictures == self.annotations

    def __str__(self) -> str:
        if self.are_one:
            return "annotations beside the pictures"
        return f"{self.pictures}/ and {self.annotations}/"


VOC = Folders(PICTURES, ANNOTATIONS)
LOWER = Folders("images", "annotations")
"""As in sets on Kaggle."""
FLAT = Folders(".", ".")
"""As labelImg saves them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture and its annotation, both relative to the root with forward slashes."""

    picture: str
    annotation: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The pairs, sorted by the picture's name, and findings about the rest."""

    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]


def folders_of(root: Path) -> Folders | None:
    """How a set with XML annotations is laid out, None if it has none. prepare reads `VOC` only."""
    if (root / PICTURES).is_dir() or any((root / ANNOTATIONS).glob("*.xml")):
        # Some file systems take annotations/ for Annotations/.
        return LOWER if not (root / PICTURES).is_dir() and (root / LOWER.pictures).is_dir() else VOC
    for folders in (LOWER, FLAT):
        if any((root / folders.annotations).glob("*.xml")) and has_picture(root / folders.pictures):
            return folders
    return None


def has_picture(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix.lower() in FORMATS for path in folder.iterdir())


def is_empty(root: Path) -> bool:
    """Whether the folder is missing, or neither of its two folders has a file."""
    folders = [folder for folder in (root / PICTURES, root / ANNOTATIONS) if folder.is_dir()]
    return not any(True for folder in folders for _ in folder.iterdir())


def find_pairs(root: Path, folders: Folders = VOC) -> Layout:
    """List the folder. Raises DatasetError if the root or a folder of it is missing, or both are empty."""
    findings: list[Finding] = []
    pictures = _by_stem(_files(root, folders, folders.pictures, FORMATS, findings), findings)
    annotations = _by_stem(_files(root, folders, folders.annotations, {".xml": ""}, findings), findings)
    both = sorted(pictures.keys() & annotations.keys())
    pairs = [_pair(pictures[stem], annotations[stem], findings) for stem in both]
    for stem in sorted(pictures.keys() - annotations.keys()):
        lonely = (_lonely("annotation-missing", file, annotations, folders) for file in pictures[stem])
        findings.extend(lonely)
    for stem in sorted(annotations.keys() - pictures.keys()):
        lonely = (_lonely("picture-missing", file, pictures, folders) for file in annotations[stem])
        findings.extend(lonely)
    kept = sorted((pair for pair in pairs if pair is not None), key=lambda pair: pair.picture)
    if not (pictures or annotations or findings):
        raise DatasetError(f"{root} holds no pictures and no annotations", _EXPECTED)
    return Layout(tuple(kept), tuple(findings))


def _files(
    root: Path, folders: Folders, folder: str, endings: Iterable[str], findings: list[Finding]
) -> list[str]:
    """Files of `folder` with one of the suffixes, sorted. Names that start with a dot are ignored."""
    names = sorted(name for name in _list(root, folder) if not name.startswith("."))
    files = [PurePosixPath(folder, name).as_posix() for name in names]
    if folders.are_one:
        # The other half of the set lies here too, and whatever else the user keeps.
        files = [file for file in files if Path(file).suffix.lower() in endings and (root / file).is_file()]
    return [file for file in files if _is_usable(root / file, file, endings, findings)]


def _list(root: Path, folder: str) -> list[str]:
    try:
        return [path.name for path in (root / folder).iterdir()]
    except FileNotFoundError as error:
        missing = root if not root.exists() else root / folder
        raise DatasetError(f"{missing} does not exist", _EXPECTED) from error
    except NotADirectoryError as error:
        raise DatasetError(f"{root / folder} is not a folder", _EXPECTED) from error
    except OSError as error:
        raise DatasetError(f"{root / folder} cannot be listed: {error.strerror}") from error


def _is_usable(path: Path, file: str, endings: Iterable[str], findings: list[Finding]) -> bool:
    if path.is_dir():
        message = "a folder inside a folder: names would clash and lists would not find the files"
        findings.append(Finding("nested-folder", shown(file), message, "move its files one level up"))
    elif path.suffix.lower() not in endings:
        message = f"is not one of {', '.join(endings)}; ignored"
        findings.append(Finding("file-ignored", shown(file), message))
    elif not is_listable(file):
        message = f"the name {WHY_UNLISTABLE}"
        findings.append(Finding("name-unusable", shown(file), message, "rename the file"))
    else:
        return True
    return False


def _by_stem(files: Iterable[str], findings: list[Finding]) -> dict[str, list[str]]:
    """Files by stem. macOS decomposes accented letters and Linux does not, so stems are compared composed."""
    stems: dict[str, list[str]] = defaultdict(list)
    for file in files:
        stems[unicodedata.normalize("NFC", PurePosixPath(file).stem)].append(file)
    for same in stems.values():
        others = {file: [other for other in same if other != file] for file in same}
        for file, rest in others.items():
            if rest:
                message = f"has the same stem as {', '.join(rest)}, so it is unclear which one is meant"
                findings.append(Finding("stem-clash", file, message, "rename or remove one"))
    return dict(stems)


def _pair(pictures: list[str], annotations: list[str], findings: list[Finding]) -> Pair | None:
    if len(pictures) > 1 or len(annotations) > 1:
        return None
    pair = Pair(pictures[0], annotations[0])
    # str.split, which these tools call, takes spaces of any width for one.
    if pair.picture.split() != [pair.picture]:
        message = "PaddleDetection's own tools split list lines at spaces; maskdet reads the manifest"
        findings.append(Finding("name-with-space", pair.picture, message))
    return pair


def _lonely(code: str, file: str, others: dict[str, list[str]], folders: Folders) -> Finding:
    stem = PurePosixPath(file).stem
    alike = [names[0] for other, names in others.items() if other.casefold() == stem.casefold()]
    hint = f"did you mean {alike[0]}? Upper and lower case differ" if alike else _PARTNER_HINTS[code]
    folder = folders.annotations if code == "annotation-missing" else folders.pictures
    return Finding(code, file, f"no file with this stem in {folder}/", hint)


_PARTNER_HINTS = {
    "annotation-missing": "for a picture without faces, write an annotation without objects",
    "picture-missing": "add the picture or remove the annotation",
}
