"""Finds the pictures, label files and class names of a YOLO set: Ultralytics' data.yaml, or plain folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from maskdet.dataset.findings import Collector, clean
from maskdet.dataset.formats.coco_files import part_of
from maskdet.dataset.formats.labelled import PARTS
from maskdet.dataset.formats.safe_paths import existing_file, inner_path, refusal
from maskdet.dataset.reading.pictures import FORMATS
from maskdet.errors import DatasetError
from maskdet.system.files import is_hidden

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of a label file, a list or data.yaml."""
NAME_FILES: Final = ("classes.txt", "labels/classes.txt", "obj.names")
_HINT: Final = "expected data.yaml, or images/ and labels/ with the class names in classes.txt"


@dataclass(frozen=True, slots=True)
class YoloPicture:
    """A picture, its label file (which may not exist) and part; both relative to the set's folder."""

    picture: PurePosixPath
    labels: PurePosixPath
    part: str


@dataclass(frozen=True, slots=True)
class YoloLayout:
    """The class names by id, and the pictures in the order of their names."""

    names: Mapping[int, str]
    pictures: tuple[YoloPicture, ...]
    landmarks: int = 0
    """Values of landmarks after the box of each line: the product of kpt_shape, 0 without one."""


def data_file(root: Path) -> Path | None:
    """data.yaml, or the only other YAML file that says where pictures and names are."""
    named = [root / name for name in ("data.yaml", "data.yml", "dataset.yaml")]
    others = sorted((*root.glob("*.yaml"), *root.glob("*.yml")))
    present = [path for path in (*named, *others) if path.is_file()]
    return next((path for path in present if "names" in _loose(path)), None)


def find_layout(root: Path, report: Collector) -> YoloLayout:
    """Raises DatasetError if class names or pictures are missing; paths that lead out go to `report`."""
    described = data_file(root)
    landmarks = 0
    if described is not None:
        value = read_data_file(described)
        names, landmarks = _names(value.get("names"), described), _landmarks(value, described)
        _check_number(value.get("nc"), names, described)
        report.file = described.name
        places = _once(_places(root, value, report), report)
    else:
        names, places = _listed_names(root), _plain_places(root)
    found: dict[PurePosixPath, YoloPicture] = {}
    for part, place in places:
        for picture in _pictures(root, place, report):
            kept = found.setdefault(picture, YoloPicture(picture, label_file(picture), part))
            if kept.part != part:
                report.add("part-repeated", f"{picture} is in {part} as well, kept in {kept.part}")
    if not found:
        raise DatasetError(f"{root} holds no pictures", _HINT)
    pictures = [found[picture] for picture in sorted(found)]
    if {picture.part for picture in pictures} == {"train"}:
        # data.yaml needs the word even where there is nothing but one folder.
        pictures = [replace(picture, part="") for picture in pictures]
    return YoloLayout(names, tuple(pictures), landmarks)


def label_file(picture: PurePosixPath) -> PurePosixPath:
    """images/train/a.jpg to labels/train/a.txt, as Ultralytics does; without images/, beside the picture."""
    parts = list(picture.parts)
    places = [at for at, part in enumerate(parts[:-1]) if part == "images"]
    if places:
        parts[places[-1]] = "labels"
    return PurePosixPath(*parts).with_suffix(".txt")


def read_text(path: Path) -> str:
    """A small UTF-8 file. Raises DatasetError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DatasetError(f"{path} is larger than {MAX_BYTES // 1024**2} MiB")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text", "save it as UTF-8") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error


def read_data_file(path: Path) -> dict[str, Any]:
    """The mapping in a data.yaml. Raises DatasetError with its line."""
    try:
        value = yaml.safe_load(read_text(path))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DatasetError(f"{path}:{line}: not YAML: {error.problem}", _HINT) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not YAML: {clean(str(error), 120)}", _HINT) from error
    if not isinstance(value, dict):
        raise DatasetError(f"{path} does not hold `key: value` lines", _HINT)
    return value


def _loose(path: Path) -> dict[str, Any]:
    try:
        return read_data_file(path)
    except DatasetError:
        # Named data.yaml it is the set's own, and reading it again says what is wrong.
        return {"names": None} if path.stem == "data" else {}


def _names(value: object, path: Path) -> dict[int, str]:
    entries = dict(enumerate(value)) if isinstance(value, list) else value
    if not isinstance(entries, dict) or not entries:
        raise DatasetError(f"{path}: names is not a list of class names", "write `names: [with_mask, ...]`")
    names: dict[int, str] = {}
    for number, name in entries.items():
        label = " ".join(str(name).split()) if type(name) in {str, int} else ""
        if type(number) is not int or not label:
            what = f"{path}: names has {clean(repr(number), 40)}: {clean(repr(name), 60)}"
            raise DatasetError(what, "write `id: name`, names such as no and yes in quotes")
        if label in names.values():
            raise DatasetError(f"{path}: names has {clean(label, 60)} twice", "merge the two classes")
        names[number] = label
    return dict(sorted(names.items()))


def _check_number(number: object, names: Mapping[int, str], path: Path) -> None:
    if type(number) is int and number != len(names):
        what = f"{path}: nc is {number}, and names has {len(names)}: {clean(', '.join(names.values()), 120)}"
        raise DatasetError(what, "correct the one that is wrong, or remove nc")


def _landmarks(value: Mapping[str, Any], path: Path) -> int:
    match value.get("kpt_shape"):
        case None:
            return 0
        case [int(number), int(values)] if number > 0 and values in {2, 3}:
            return number * values
        case other:
            what = f"{path}: kpt_shape is {clean(repr(other), 60)}"
            raise DatasetError(what, "write `kpt_shape: [5, 2]` for five landmarks of x and y")


def _listed_names(root: Path) -> dict[int, str]:
    path = next((root / name for name in NAME_FILES if (root / name).is_file()), None)
    if path is None:
        what = f"{root} does not say what its class ids mean: there is no data.yaml and no classes.txt"
        raise DatasetError(
            what, "write the class names into classes.txt, one a line, in the order of the ids"
        )
    return _names([line for line in read_text(path).splitlines() if line.strip()], path)


def _once(places: Iterable[tuple[str, PurePosixPath]], report: Collector) -> list[tuple[str, PurePosixPath]]:
    """Without a folder or list that an earlier part has, which Ultralytics allows."""
    kept: dict[PurePosixPath, str] = {}
    for part, place in places:
        first = kept.setdefault(place, part)
        if first != part:
            said = f"{first} and {part} are both {place}: these pictures are {first} only"
            report.add("parts-same", said, "maskdet prepare splits a set that is not split")
    return [(part, place) for place, part in kept.items()]


def _places(root: Path, value: Mapping[str, Any], report: Collector) -> Iterator[tuple[str, PurePosixPath]]:
    """Each part's folders and lists, relative to the root."""
    start = inner_path(value["path"]) if isinstance(value.get("path"), str) else None
    # Exported sets name the folder that they had elsewhere: data.yaml is then where they are now.
    base = start if start and (root / start).is_dir() else PurePosixPath()
    for key in (*PARTS, "valid"):
        entry = value.get(key)
        for text in entry if isinstance(entry, list) else [entry] if entry else []:
            # Roboflow writes ../train/images for the folder beside data.yaml.
            inner = inner_path(str(text).removeprefix("../"))
            said = f"{key}: {clean(str(text), 120)}"
            if inner is None:
                code, reason = refusal(text, "folder or list")
                report.add(code, f"{said} {reason}")
            elif not (root / base / inner).exists():
                # Roboflow names a test folder whether or not the export has one.
                code = "test-missing" if key == "test" else "part-missing"
                report.add(
                    code, f"{said} does not exist", "" if key == "test" else "add it, or remove the key"
                )
            else:
                yield part_of(key), base / inner


def _plain_places(root: Path) -> list[tuple[str, PurePosixPath]]:
    """images/train, images/val, ... or train/images, ... where there are such folders, else all of it."""
    folders = [path for path in (*root.glob("images/*"), *root.glob("*/images")) if path.is_dir()]
    inside = [path.relative_to(root) for path in sorted(folders)]
    split = [(part_of(path.as_posix()), PurePosixPath(path)) for path in inside]
    if split and all(part for part, _ in split):
        return split
    return [("", PurePosixPath("images") if (root / "images").is_dir() else PurePosixPath())]


def _pictures(root: Path, place: PurePosixPath, report: Collector) -> Iterator[PurePosixPath]:
    if (root / place).is_file():
        yield from _from_list(root, place, report)
        return
    for path in (root / place).rglob("*"):
        inner = PurePosixPath(path.relative_to(root).as_posix())
        if path.suffix.lower() in FORMATS and path.is_file() and not is_hidden(inner):
            yield inner


def _from_list(root: Path, place: PurePosixPath, report: Collector) -> Iterator[PurePosixPath]:
    """The pictures of a list such as train.txt; relative lines start at the list's folder, or at the root."""
    for number, line in enumerate(read_text(root / place).splitlines(), start=1):
        inner = inner_path(line.strip()) if line.strip() else None
        bases = (place.parent, PurePosixPath())
        found = [base / inner for base in bases if inner and existing_file(root, base / inner)]
        if found:
            yield found[0]
        elif line.strip():
            code, reason = refusal(line, "picture")
            report.add(code, f"{place}:{number}: {clean(line, 120)} {reason}")
